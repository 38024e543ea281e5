"""Methods of training: what fills the slots of a training step, and which method fills them how."""
