"""The peers that benches run beside farhand: each a program of its own."""
