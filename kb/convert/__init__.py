"""Whether a converted model still gives the right answers: routes into ONNX and LiteRT, and checks for each export."""
