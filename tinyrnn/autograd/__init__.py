"""The engine: Tensors, the tape, the table of primitives, the reverse pass.

Read it in this order: `primitive` (what an operation is), `primitives` (the table of them), `tensor`
(recording), `tape` (the records), `backward` (the reverse pass), `gradient`.
"""
