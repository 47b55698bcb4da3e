// y = relu(x) * sigmoid(x) and its gradient for TensorFlow: one Eigen expression each, which Eigen runs in one pass.

#define EIGEN_USE_THREADS  // before any header: brings the device that expressions are run on

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

class ReluSigmoid : public OpKernel {
 public:
  explicit ReluSigmoid(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& input = context->input(0);
    Tensor* output = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, input.shape(), &output));
    const auto x = input.flat<float>();
    output->flat<float>().device(context->eigen_device<Eigen::ThreadPoolDevice>()) = x.cwiseMax(0.0f) * x.sigmoid();
  }
};

// grad * s (1 + x (1 - s)) for positive x, else 0.
class ReluSigmoidGrad : public OpKernel {
 public:
  explicit ReluSigmoidGrad(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& slopes = context->input(0);
    const Tensor& input = context->input(1);
    OP_REQUIRES(context, slopes.shape() == input.shape(),
                absl::InvalidArgumentError("the gradient has another shape than the input"));
    Tensor* output = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, input.shape(), &output));
    const auto grad = slopes.flat<float>();
    const auto x = input.flat<float>();
    const auto s = x.sigmoid();
    const auto slope = s * (1.0f + x * (1.0f - s));
    output->flat<float>().device(context->eigen_device<Eigen::ThreadPoolDevice>()) =
        (x > 0.0f).select(grad * slope, x.constant(0.0f));
  }
};

REGISTER_OP("KbReluSigmoid")
    .Input("x: float")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);

REGISTER_OP("KbReluSigmoidGrad")
    .Input("grad: float")
    .Input("x: float")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);

REGISTER_KERNEL_BUILDER(Name("KbReluSigmoid").Device(tensorflow::DEVICE_CPU), ReluSigmoid);
REGISTER_KERNEL_BUILDER(Name("KbReluSigmoidGrad").Device(tensorflow::DEVICE_CPU), ReluSigmoidGrad);

}  // namespace
