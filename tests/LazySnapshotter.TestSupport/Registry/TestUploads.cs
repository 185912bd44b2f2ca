using System.Collections.Concurrent;

namespace LazySnapshotter.TestSupport.Registry;

// The upload sessions of a test registry. A session is named in the path, and carries a state in its query that has to
// come back as it was, like that of the distribution project's registry.
public sealed class TestUploads
{
    private readonly ConcurrentDictionary<string, (string Repository, string State)> _open = new();

    /// <summary>Sessions that were neither finished nor cancelled.</summary>
    public int OpenCount => _open.Count;

    internal (string Id, string State) Start(string repository)
    {
        var id = Guid.NewGuid().ToString();
        var state = Convert.ToBase64String(Guid.NewGuid().ToByteArray()); // With characters that have to be escaped.
        _open[id] = (repository, state);
        return (id, state);
    }

    internal bool IsOpen(string id, string repository, string? state) =>
        _open.TryGetValue(id, out var session) && session == (repository, state ?? "");

    internal bool End(string id) => _open.TryRemove(id, out _);
}
