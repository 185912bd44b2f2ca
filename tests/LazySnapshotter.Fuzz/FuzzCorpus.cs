namespace LazySnapshotter.Fuzz;

// Inputs in the repository (Corpus/TARGET): what once was a finding, and what guided runs found to lead into corners that the
// seeds do not show. Taken or refused, either is fine.
public static class FuzzCorpus
{
    /// <summary>Ordered by name, so that a run is the same everywhere.</summary>
    public static IReadOnlyList<(string Name, byte[] Bytes)> Of(FuzzTarget target)
    {
        var folder = new DirectoryInfo(Path.Combine(AppContext.BaseDirectory, "Corpus", target.Name));
        return folder.Exists
            ? [.. folder.EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal)
                .Select(file => (file.Name, File.ReadAllBytes(file.FullName)))]
            : [];
    }
}
