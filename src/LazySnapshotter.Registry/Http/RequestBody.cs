namespace LazySnapshotter.Registry.Http;

// What a request carries to the host, made anew for each time the request is sent.
internal abstract class RequestBody
{
    /// <summary>Whether the request may be sent once more: after a 401, along a redirect, after a broken connection.</summary>
    public abstract bool CanRepeat { get; }

    public abstract HttpContent Create(HopTimer timer);

    /// <summary>Why what is to be sent could not be had; null where the trouble is the host's.</summary>
    public virtual Exception? SourceFailure => null;
}

/// <summary>A document that is in memory.</summary>
internal sealed class DocumentBody(string mediaType, ReadOnlyMemory<byte> content) : RequestBody
{
    public override bool CanRepeat => true;

    public override HttpContent Create(HopTimer timer)
    {
        var body = new ReadOnlyMemoryContent(content);
        body.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        return body;
    }
}
