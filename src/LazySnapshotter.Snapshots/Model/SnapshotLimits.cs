using System.Text;

namespace LazySnapshotter.Snapshots.Model;

// What a client may make us store. containerd itself stops earlier (labels: 4096 bytes for key and value together;
// names: 32 KiB), so these only meet clients that are not containerd.
internal static class SnapshotLimits
{
    private const int NameBytesMax = 40 * 1024;
    private const int LabelBytesMax = 16 * 1024;
    private const int LabelCountMax = 1024;
    private const int FilterCountMax = 256;
    private const int FilterBytesMax = 64 * 1024;

    public static void CheckName(string name, string what)
    {
        if (name.Length == 0)
            throw new SnapshotArgumentException($"{what} is empty");
        if (Encoding.UTF8.GetByteCount(name) > NameBytesMax)
            throw new SnapshotArgumentException($"{what} \"{name[..64]}...\" is longer than {NameBytesMax} bytes");
    }

    public static void CheckLabels(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count > LabelCountMax)
            throw new SnapshotArgumentException($"{labels.Count} labels; the limit is {LabelCountMax}");
        foreach (var (key, value) in labels)
        {
            if (Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value) > LabelBytesMax)
                throw new SnapshotArgumentException(
                    $"label \"{key[..Math.Min(key.Length, 64)]}\": key and value take more than {LabelBytesMax} bytes");
        }
    }

    public static void CheckFilters(IReadOnlyCollection<string> filters)
    {
        if (filters.Count > FilterCountMax)
            throw new SnapshotArgumentException($"{filters.Count} filters; the limit is {FilterCountMax}");
        foreach (var filter in filters)
        {
            if (Encoding.UTF8.GetByteCount(filter) > FilterBytesMax)
                throw new SnapshotArgumentException($"filter \"{filter[..64]}...\" is longer than {FilterBytesMax} bytes");
        }
    }
}
