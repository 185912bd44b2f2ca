using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Memory;

// Manifests as files, one folder per repository:
//   <folder>/<hash of registry/repository>/<algorithm>-<hex>     "lazysnap manifest 1\n" registry/repository "\n" media type "\n" content
// A file appears by rename and never changes. Its modification time says when it was last used (to the hour: reading is not
// writing); whatever was not used for longest is deleted when they are too many or too large together.
internal sealed class ManifestFiles(string folder, long bytesMax, ILogger logger)
{
    private const string FirstLine = "lazysnap manifest 1";
    private const int HeaderBytesMax = 4 << 10;
    private const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string[] MediaTypesKept =
        [MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, MediaTypes.DockerManifestList];
    private static readonly TimeSpan UseNoticed = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private bool _isMeasured;
    private long _bytes;
    private int _count;

    public ImageDocument? Find(ManifestKey key)
    {
        var path = PathOf(key);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > HeaderBytesMax + RegistryLimits.ManifestBytesMax)
                throw new InvalidDataException("it is too long");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            var document = Parse(key, bytes);
            if (File.GetLastWriteTimeUtc(path) < DateTime.UtcNow - UseNoticed)
                File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return document;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            logger.StoredManifestUnusable(key.Digest, path, e.Message);
            Remove(key);
            return null;
        }
    }

    /// <summary>Best effort: what is not stored is asked for again.</summary>
    public void Store(ManifestKey key, ImageDocument document)
    {
        var path = PathOf(key);
        try
        {
            if (File.Exists(path))
                return;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, Ours | UnixFileMode.UserExecute);
            var temporary = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Guid.NewGuid():N}.tmp"));
            var header = Header(key, document.Descriptor.MediaType);
            try
            {
                using (var file = new FileStream(
                    temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Ours }))
                {
                    file.Write(header);
                    file.Write(document.Content);
                }

                File.Move(temporary, path, overwrite: true);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }

            Account(header.Length + document.Content.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.MemoryUnusable(path, e.Message);
        }
    }

    public void Remove(ManifestKey key)
    {
        try
        {
            File.Delete(PathOf(key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, or not ours to delete: then it fails its check again.
        }
    }

    private static byte[] Header(ManifestKey key, string mediaType) =>
        Encoding.UTF8.GetBytes($"{FirstLine}\n{key.Registry}/{key.Repository}\n{mediaType}\n");

    private static ImageDocument Parse(ManifestKey key, byte[] bytes)
    {
        foreach (var mediaType in MediaTypesKept)
        {
            var header = Header(key, mediaType);
            if (!bytes.AsSpan().StartsWith(header))
                continue;
            var content = bytes[header.Length..];
            if (!key.Digest.IsDigestOf(content))
                throw new InvalidDataException("its digest is wrong");
            return new ImageDocument(new Descriptor { MediaType = mediaType, Digest = key.Digest, Size = content.Length }, content);
        }

        throw new InvalidDataException("it is no manifest of this repository");
    }

    private string PathOf(ManifestKey key)
    {
        var repository = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{key.Registry}/{key.Repository}")).AsSpan(0, 16));
        return Path.Combine(folder, repository, $"{key.Digest.Algorithm}-{key.Digest.Hex}");
    }

    private void Account(long added)
    {
        lock (_gate)
        {
            _bytes += added;
            _count++;
            if (_isMeasured && _bytes <= bytesMax && _count <= RegistryLimits.StoredManifestsMax)
                return;
            var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(path => new FileInfo(path)).Where(file => file.Exists).ToList();
            (_bytes, _count, _isMeasured) = (files.Sum(file => file.Length), files.Count, true);
            if (_bytes > bytesMax || _count > RegistryLimits.StoredManifestsMax)
                Prune(files);
        }
    }

    // To 90 %, so that not every manifest from now on means looking at all of them.
    private void Prune(List<FileInfo> files)
    {
        foreach (var file in files.OrderBy(file => file.LastWriteTimeUtc))
        {
            if (_bytes <= bytesMax / 10 * 9 && _count <= RegistryLimits.StoredManifestsMax / 10 * 9)
                return;
            _bytes -= file.Length;
            _count--;
            file.Delete();
        }
    }
}
