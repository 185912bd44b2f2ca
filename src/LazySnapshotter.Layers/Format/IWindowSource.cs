using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Format;

// Where an open index gets its windows from: its file, or a registry while they are still on their way. Safe for
// concurrent use.
internal interface IWindowSource : IDisposable
{
    /// <summary>The window can be read now, or there is none; true for ever once it is true.</summary>
    bool Has(SpanId span);

    /// <summary>Gets a window that is not here.</summary>
    /// <exception cref="IOException">It cannot be had; the next call tries again.</exception>
    ValueTask FetchAsync(SpanId span, CancellationToken cancellationToken);

    /// <summary>Gets all windows, and so the whole file.</summary>
    /// <inheritdoc cref="FetchAsync"/>
    Task FetchAllAsync(CancellationToken cancellationToken);

    /// <summary>A window as it is stored, its checksum compared; empty where there is none.</summary>
    /// <exception cref="InvalidDataException">The window is damaged; the message names the span.</exception>
    byte[] Read(SpanId span);

    /// <summary>Compares the whole file with the checksum in its footer.</summary>
    /// <exception cref="InvalidDataException">It is not as it was written.</exception>
    void CheckFile();
}
