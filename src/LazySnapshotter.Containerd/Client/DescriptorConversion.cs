using Containerd.Types;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// Descriptors as OCI documents have them and as containerd's services pass them.
internal static class DescriptorConversion
{
    public static ContentDescriptor ToContainerd(this Descriptor descriptor) => new()
    {
        MediaType = descriptor.MediaType,
        Digest = descriptor.Digest.ToString(),
        Size = descriptor.Size,
    };

    public static Descriptor ToOci(this ContentDescriptor descriptor) => new()
    {
        MediaType = descriptor.MediaType,
        Digest = Digest.Parse(descriptor.Digest),
        Size = descriptor.Size,
    };
}
