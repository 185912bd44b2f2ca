namespace LazySnapshotter.Layers.Verify;

/// <summary>How to verify.</summary>
public sealed record IndexVerificationOptions
{
    /// <summary>The index may leave out what lies behind the tar's two zero blocks, as a zTOC does.</summary>
    public bool TarPaddingIsOptional { get; init; }

    /// <summary>The index does not say which layer it is of: any digest is right.</summary>
    public bool LayerIsUnknown { get; init; }

    /// <summary>Told how many bytes of the blob have passed.</summary>
    public IProgress<long>? Progress { get; init; }
}
