using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots;

// What an Update with a field mask makes of a snapshot's labels. A label the mask names and the request does not give
// is removed: the store keeps no empty ones.
internal static class LabelUpdate
{
    private const string All = "labels";
    private const string One = "labels.";

    public static IReadOnlyDictionary<string, string> Apply(
        string name, IReadOnlyDictionary<string, string> existing, IReadOnlyDictionary<string, string> given,
        IReadOnlyList<string> fieldPaths)
    {
        if (fieldPaths.Count == 0)
            return given;

        var updated = new Dictionary<string, string>(existing, StringComparer.Ordinal);
        foreach (var path in fieldPaths)
        {
            if (path.StartsWith(One, StringComparison.Ordinal))
                updated[path[One.Length..]] = given.GetValueOrDefault(path[One.Length..], "");
            else if (path == All)
                updated = new Dictionary<string, string>(given, StringComparer.Ordinal);
            else
                throw new SnapshotArgumentException($"cannot update \"{path}\" field on snapshot \"{name}\"");
        }

        return updated;
    }
}
