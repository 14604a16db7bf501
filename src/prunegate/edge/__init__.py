"""Edge: a candidate where it will run, in a browser: a static page that scores, and its judging.

::

    candidate -> edge.json, model.onnx, onnxruntime-web, page -> a folder for any static server
                                                              -> headless Chromium -> scores

The page that people use and the one that is judged share every file that makes a score. The runtime
comes from the npm package onnxruntime-web when the folder is made; nothing of it is kept here.
"""

EDGE_FILE = "edge.json"
"""What a page's folder says of itself."""
