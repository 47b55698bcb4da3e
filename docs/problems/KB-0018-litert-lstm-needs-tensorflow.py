"""KB-0018：把 Keras 3 的 LSTM 导出为 LiteRT，再用普通解释器加载。"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import keras
    from ai_edge_litert.interpreter import Interpreter
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

model = keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(4)])
model.export("model.tflite", format="litert", verbose=False)
interpreter = Interpreter("model.tflite")
interpreter.allocate_tensors()
interpreter.invoke()
print("gone: the plain interpreter runs the LSTM")
