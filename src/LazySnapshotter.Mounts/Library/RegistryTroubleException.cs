using LazySnapshotter.Registry;

namespace LazySnapshotter.Mounts.Library;

/// <summary>A registry's trouble with an image that is being pulled. The log has it once for all layers it befalls.</summary>
internal sealed class RegistryTroubleException(RegistryException reason) : IOException(reason.Message, reason);
