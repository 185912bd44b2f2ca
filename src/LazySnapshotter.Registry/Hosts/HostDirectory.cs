using System.Globalization;
using System.Text;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Hosts;

/// <summary>What a directory says about a registry.</summary>
/// <param name="Oddities">For a person to see; nothing of it is in the way.</param>
/// <param name="FilesRead">Certificates and keys.</param>
internal sealed record HostDirectoryContent(
    IReadOnlyList<EndpointSettings> Endpoints, IReadOnlyList<string> Oddities, IReadOnlyList<string> FilesRead);

// The directories in which containerd looks for what is configured about a registry ("certs.d"): the first that exists
// of <host>_<port>_, <host>:<port> and _default counts, alone. In it a hosts.toml, or, where there is none, certificates
// as docker has them: *.crt to trust, *.cert with *.key to show.
internal static class HostDirectory
{
    private const string FileName = "hosts.toml";
    private const string Default = "_default";

    /// <param name="roots">Several are separated by colons, as in containerd's config_path.</param>
    /// <returns>Null: nothing is configured.</returns>
    public static string? Find(string? roots, string registry)
    {
        foreach (var root in (roots ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            foreach (var name in NamesOf(registry))
            {
                var path = Path.Combine(root, name);
                if (Directory.Exists(path))
                    return path;
            }
        }

        return null;
    }

    /// <summary>Changes when the directory may say something else; cheap enough to be asked every second.</summary>
    public static string StampOf(string? directory, IEnumerable<string> filesRead)
    {
        if (directory is null)
            return "";
        var stamp = new StringBuilder(CertificateFiles.StampOf(Path.Combine(directory, FileName)));
        foreach (var path in CertificatesIn(directory).Union(filesRead))
            stamp.Append(CertificateFiles.StampOf(path));
        return stamp.ToString();
    }

    /// <exception cref="InvalidDataException">It cannot be used; the message names file, line and cause.</exception>
    public static HostDirectoryContent Read(string directory, string registry, RegistryOptions options)
    {
        var path = Path.Combine(directory, FileName);
        try
        {
            if (ReadFile(path) is not { Length: > 0 } content)
                return ReadCertificates(directory, registry, options);
            var file = HostsFile.Read(content, registry, directory, options);
            return new HostDirectoryContent(file.Endpoints, [.. file.Oddities.Select(o => $"{path}: {o}")], file.FilesRead);
        }
        catch (HostsFileException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: it cannot be read: {e.Message}", e);
        }
    }

    // References hold no slash in their registry; ".." would be the only way out of the root.
    private static IEnumerable<string> NamesOf(string registry)
    {
        if (registry is not ("." or "..") && !registry.Contains('/', StringComparison.Ordinal))
        {
            if (registry.LastIndexOf(':') is > 0 and var colon)
                yield return string.Create(CultureInfo.InvariantCulture, $"{registry.AsSpan(0, colon)}_{registry.AsSpan(colon + 1)}_");
            yield return registry;
        }

        yield return Default;
    }

    private static byte[]? ReadFile(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > RegistryLimits.TomlBytesMax)
                throw new InvalidDataException($"{path} is longer than {RegistryLimits.TomlBytesMax} bytes");
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static HostDirectoryContent ReadCertificates(string directory, string registry, RegistryOptions options)
    {
        var files = new CertificateFiles();
        foreach (var path in CertificatesIn(directory))
        {
            if (path.EndsWith(".crt", StringComparison.Ordinal))
                files.AddAuthorities(path);
            else if (path.EndsWith(".cert", StringComparison.Ordinal))
                files.AddClient(path, File.Exists(Path.ChangeExtension(path, ".key")) ? Path.ChangeExtension(path, ".key") : null);
        }

        var upstream = EndpointSettings.Upstream(registry, options, hasTlsSettings: files.Paths.Count > 0);
        return new HostDirectoryContent(
            [upstream with { Connection = files.ToSettings(skipVerify: false, connectTimeout: null) }], [], files.Paths);
    }

    private static List<string> CertificatesIn(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory)
                .Where(p => p.EndsWith(".crt", StringComparison.Ordinal)
                    || p.EndsWith(".cert", StringComparison.Ordinal) || p.EndsWith(".key", StringComparison.Ordinal))
                .Take(RegistryLimits.EndpointsMax * 4)
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
