using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Common;

// A document of an image as the registry sent it: digest and size of the descriptor are those of the bytes.
public sealed record ImageDocument(Descriptor Descriptor, byte[] Content);
