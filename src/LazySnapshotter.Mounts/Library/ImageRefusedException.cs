using LazySnapshotter.Registry;

namespace LazySnapshotter.Mounts.Library;

/// <summary>A registry gives nothing of an image that is being pulled. The log says so once for all of its layers.</summary>
internal sealed class ImageRefusedException(RegistryException reason) : IOException(reason.Message, reason);
