namespace LazySnapshotter.Containerd.Pull;

// An image cannot be pulled, for a reason a person can act on: the message names image, layer or snapshotter.
public sealed class PullException(string message, Exception? innerException = null) : Exception(message, innerException);
