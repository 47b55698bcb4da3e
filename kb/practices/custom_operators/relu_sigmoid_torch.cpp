// y = relu(x) * sigmoid(x) and its gradient for torch: one pass over the data each, in the vector type of ATen.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

namespace {

using Vec = at::vec::Vectorized<float>;

// Elements of a thread at least: ATen's own grain for element-wise operators.
constexpr int64_t kGrain = 32768;

Vec sigmoid(Vec x) { return (Vec(1.0f) + x.neg().exp()).reciprocal(); }

Vec value(Vec x) { return at::vec::clamp_min(x, Vec(0.0f)) * sigmoid(x); }

// s (1 + x (1 - s)) for positive x, else 0.
Vec scaled_derivative(Vec grad, Vec x) {
  const Vec s = sigmoid(x);
  const Vec slope = s * (Vec(1.0f) + x * (Vec(1.0f) - s));
  return grad * Vec::blendv(Vec(0.0f), slope, x > Vec(0.0f));
}

at::Tensor checked(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat, "relu_sigmoid takes float32, not ", tensor.scalar_type());
  return tensor.contiguous();
}

at::Tensor relu_sigmoid(const at::Tensor& x) {
  const at::Tensor input = checked(x);
  at::Tensor output = at::empty_like(input);
  const float* from = input.const_data_ptr<float>();
  float* to = output.mutable_data_ptr<float>();
  at::parallel_for(0, input.numel(), kGrain, [&](int64_t begin, int64_t end) {
    at::vec::map<float>(value, to + begin, from + begin, end - begin);
  });
  return output;
}

at::Tensor relu_sigmoid_backward(const at::Tensor& grad, const at::Tensor& x) {
  TORCH_CHECK(grad.sizes() == x.sizes(), "the gradient has another shape than the input");
  const at::Tensor given = checked(grad), input = checked(x);
  at::Tensor output = at::empty_like(input);
  const float* slopes = given.const_data_ptr<float>();
  const float* from = input.const_data_ptr<float>();
  float* to = output.mutable_data_ptr<float>();
  at::parallel_for(0, input.numel(), kGrain, [&](int64_t begin, int64_t end) {
    at::vec::map2<float>(scaled_derivative, to + begin, slopes + begin, from + begin, end - begin);
  });
  return output;
}

}  // namespace

TORCH_LIBRARY(kb_cpp, library) {
  library.def("relu_sigmoid(Tensor x) -> Tensor");
  library.def("relu_sigmoid_backward(Tensor grad, Tensor x) -> Tensor");
}

TORCH_LIBRARY_IMPL(kb_cpp, CPU, library) {
  library.impl("relu_sigmoid", relu_sigmoid);
  library.impl("relu_sigmoid_backward", relu_sigmoid_backward);
}
