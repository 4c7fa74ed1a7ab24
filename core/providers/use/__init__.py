"""The multilingual Universal Sentence Encoder of its wheel, run by onnxruntime."""
