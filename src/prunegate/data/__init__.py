"""What is judged on: predictions tables, labelled rows, file hashes, and their contract."""
