using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Pulling;

/// <summary>A registry's trouble with an image that is being pulled. The log has it once for all layers it befalls.</summary>
public sealed class RegistryTroubleException(RegistryException reason) : IOException(reason.Message, reason);
