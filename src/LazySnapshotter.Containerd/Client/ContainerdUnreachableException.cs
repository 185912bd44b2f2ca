namespace LazySnapshotter.Containerd.Client;

// Nobody answers on containerd's socket. The message names the socket and what to look at.
public sealed class ContainerdUnreachableException(string address, string reason, Exception? innerException = null)
    : IOException($"containerd cannot be reached on {address}: {reason}. Is containerd running, and is this its socket?", innerException)
{
    public string Address { get; } = address;
}
