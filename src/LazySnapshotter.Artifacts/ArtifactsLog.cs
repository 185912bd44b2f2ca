using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts;

internal static partial class ArtifactsLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer}: index {IndexId} came from artifact {Artifact} of {Image}")]
    public static partial void IndexObtained(ILogger logger, Digest layer, string indexId, Digest artifact, ImageReference image);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Layer {Layer}: its index in artifact {Artifact} of {Image} is refused, the next source is taken: {Reason}")]
    public static partial void IndexRefused(ILogger logger, Digest layer, Digest artifact, ImageReference image, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Image}: a part of artifact {Artifact} is refused: {Reason}")]
    public static partial void PartRefused(ILogger logger, ImageReference image, Digest artifact, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Image}: {Count} more artifacts of type {ArtifactType} are not looked into")]
    public static partial void ArtifactsIgnored(ILogger logger, ImageReference image, int count, string artifactType);
}
