using System.Formats.Tar;

namespace LazySnapshotter.Artifacts.Sources;

// The entries of an image archive: where each lies in the file, found by going from header to header once. Nothing is
// unpacked: a name is only ever looked up among the archive's own entries, and links are followed among them, so no
// path leaves the archive. (Old `docker save` lets a layer that occurs twice be a symbolic link to the first one.)
internal sealed class ArchiveFiles : IImageFiles
{
    private readonly string _file;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private ArchiveFiles(string file) => _file = file;

    public string Name => _file;

    /// <exception cref="InvalidDataException">Not a tar archive; the message names file and entry.</exception>
    public static ArchiveFiles Open(string file)
    {
        var files = new ArchiveFiles(file);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        CheckUncompressed(file, stream);
        var last = "";
        try
        {
            using var reader = new TarReader(stream, leaveOpen: true);
            while (reader.GetNextEntry() is { } entry)
            {
                last = entry.Name;
                files.Add(entry);
            }
        }
        catch (Exception exception) when (exception is
            InvalidDataException or EndOfStreamException or FormatException or ArgumentException or NotSupportedException
            or OverflowException) // The last: numbers of a header that are larger than the reader's.
        {
            throw new InvalidDataException(
                $"{file}: {(last.Length == 0 ? "no tar archive" : $"damaged behind entry \"{last}\"")}: {exception.Message}", exception);
        }

        return files._entries.Count > 0 ? files : throw new InvalidDataException($"{file}: an archive without entries");
    }

    /// <exception cref="InvalidDataException">The name is a link that leads nowhere.</exception>
    public FileRegion? Find(string path)
    {
        var name = Clean(path, path);
        for (var links = 0; _entries.TryGetValue(name, out var entry); links++)
        {
            if (entry.LinkTarget is null)
                return new FileRegion(_file, entry.Offset, entry.Length, $"{_file}: entry {name}");
            if (links == SourceLimits.ArchiveLinksMax)
                throw new InvalidDataException($"{_file}: entry \"{path}\": more than {SourceLimits.ArchiveLinksMax} links");
            name = Clean(entry.LinkTarget, name);
        }

        return name == Clean(path, path)
            ? null
            : throw new InvalidDataException($"{_file}: entry \"{path}\" is a link to \"{name}\", which is not in the archive");
    }

    private void Add(TarEntry entry)
    {
        if (_entries.Count == SourceLimits.ArchiveEntryCountMax)
            throw new InvalidDataException($"more than {SourceLimits.ArchiveEntryCountMax} entries");
        switch (entry.EntryType)
        {
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                _entries[Clean(entry.Name, entry.Name)] = new Entry(Math.Max(0, entry.DataOffset), entry.Length, null);
                break;
            case TarEntryType.SymbolicLink:
                var name = Clean(entry.Name, entry.Name);
                var slash = name.LastIndexOf('/');
                _entries[name] = new Entry(0, 0, slash < 0 ? entry.LinkName : name[..slash] + "/" + entry.LinkName);
                break;
            case TarEntryType.HardLink:
                _entries[Clean(entry.Name, entry.Name)] = new Entry(0, 0, entry.LinkName);
                break;
        }
    }

    /// <summary>A path without empty components, "." and "..".</summary>
    private string Clean(string path, string entry)
    {
        var components = new List<string>();
        foreach (var component in path.Split('/'))
        {
            if (component is "" or ".")
                continue;
            if (component != "..")
                components.Add(component);
            else if (components.Count > 0)
                components.RemoveAt(components.Count - 1);
            else
                throw new InvalidDataException($"{_file}: entry \"{entry}\" leads out of the archive");
        }

        return string.Join('/', components);
    }

    private static void CheckUncompressed(string file, FileStream stream)
    {
        Span<byte> start = stackalloc byte[4];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        var compression = LayerBytes.CompressionOf(start[..length]);
        if (compression is not null)
            throw new InvalidDataException(
                $"{file}: the archive is compressed with {compression}; decompress it first, entries are read in place");
    }

    private readonly record struct Entry(long Offset, long Length, string? LinkTarget);
}
