using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using LazySnapshotter.Linux;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Memory;

// The one file with what may be remembered over a restart. It holds tokens and signed URLs, so it is ours alone (0600 in a
// folder of 0700) and is believed only if it is. Two lines of JSON: a header with version and digest, and the document. It
// appears by rename; without a flush, because a file that a crash left damaged is recognized and costs some round trips.
// Any number of processes use it: who writes holds the lock beside it and takes over first what others wrote.
internal sealed class MemoryFile(string folder)
{
    public const string FileName = "memory.json";

    private const string Format = "lazysnap registry memory";
    private const int Version = 1;
    private const int HeaderBytesMax = 512;
    private const uint S_IFMT = 0xF000, S_IFREG = 0x8000, S_IFDIR = 0x4000;
    private const uint GroupAndOthers = 0x3F; // 0077
    private const uint WritableByGroupAndOthers = 0x12; // 0022
    private const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TemporaryLifetime = TimeSpan.FromHours(1);

    private readonly string _path = Path.Combine(folder, FileName);
    private FileStatus _lastSeen;

    public string Name => _path;

    /// <summary>Somebody else wrote it since we last read or wrote it.</summary>
    public bool HasChanged => Libc.TryGetStatus(_path, out var now) == Errno.None && now != _lastSeen;

    /// <summary>Makes the folder if need be.</summary>
    /// <exception cref="IOException">It cannot be made, or others may write there.</exception>
    public void Prepare()
    {
        Directory.CreateDirectory(folder, Ours | UnixFileMode.UserExecute);
        var status = Libc.GetStatus(folder);
        if ((status.Mode & S_IFMT) != S_IFDIR || status.Uid != Libc.GetUserId() || (status.Mode & WritableByGroupAndOthers) != 0)
            throw new IOException($"{folder} is not a folder that this user alone can write to");
        foreach (var left in Directory.EnumerateFiles(folder, FileName + ".*.tmp"))
        {
            if (File.GetLastWriteTimeUtc(left) < DateTime.UtcNow - TemporaryLifetime)
                File.Delete(left);
        }
    }

    /// <summary>
    /// Waits its turn among processes; null where another one does not give it up. Makes the folder anew if somebody deleted it.
    /// </summary>
    /// <exception cref="IOException">Nothing can be written there.</exception>
    public IDisposable? TryLock()
    {
        try
        {
            return WaitForLock();
        }
        catch (DirectoryNotFoundException)
        {
            Prepare();
            return WaitForLock();
        }
    }

    /// <summary>Null where there is no file.</summary>
    /// <exception cref="InvalidDataException">It is not what we wrote; the message quotes nothing from it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public MemoryDocument? Read()
    {
        if (Libc.TryGetStatus(_path, out var status) != Errno.None)
            return null;
        if ((status.Mode & S_IFMT) != S_IFREG)
            throw new InvalidDataException("it is no regular file");
        if (status.Uid != Libc.GetUserId())
            throw new InvalidDataException($"it belongs to user {status.Uid}");
        if ((status.Mode & GroupAndOthers) != 0)
            throw new InvalidDataException($"others may read or write it (mode {Convert.ToString(status.Mode & 0xFFF, 8)})");
        if (status.Size > RegistryLimits.MemoryFileBytesMax)
            throw new InvalidDataException($"it is longer than {RegistryLimits.MemoryFileBytesMax} bytes");
        var document = Parse(File.ReadAllBytes(_path));
        _lastSeen = status;
        return document;
    }

    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(MemoryDocument document)
    {
        var content = Serialize(document);
        var header = JsonSerializer.SerializeToUtf8Bytes(
            new MemoryHeader(Format, Version, Convert.ToHexStringLower(SHA256.HashData(content))), MemoryJsonContext.Default.MemoryHeader);
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{_path}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp");
        try
        {
            using (var file = new FileStream(
                temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Ours }))
            {
                file.Write(header);
                file.WriteByte((byte)'\n');
                file.Write(content);
                file.WriteByte((byte)'\n');
            }

            File.Move(temporary, _path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        _ = Libc.TryGetStatus(_path, out _lastSeen);
    }

    /// <summary>Out of the way, for a person to look at; readable by nobody else.</summary>
    public void SetAside()
    {
        var aside = _path + ".damaged";
        File.Move(_path, aside, overwrite: true);
        File.SetUnixFileMode(aside, Ours);
    }

    private FileStream? WaitForLock()
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None,
            UnixCreateMode = Ours };
        var giveUpAt = DateTime.UtcNow + LockWait;
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "memory.lock"), options);
            }
            catch (IOException e) when (e.HResult == (int)Errno.EAGAIN) // The runtime's flock (FileShare.None).
            {
                if (DateTime.UtcNow >= giveUpAt)
                    return null;
                Thread.Sleep(10);
            }
        }
    }

    private static byte[] Serialize(MemoryDocument document)
    {
        while (true)
        {
            var content = JsonSerializer.SerializeToUtf8Bytes(document, MemoryJsonContext.Default.MemoryDocument);
            if (content.Length <= RegistryLimits.MemoryFileBytesMax - HeaderBytesMax)
                return content;
            document = document.Halved();
        }
    }

    private static MemoryDocument Parse(ReadOnlySpan<byte> file)
    {
        var end = file[..Math.Min(file.Length, HeaderBytesMax)].IndexOf((byte)'\n');
        if (end < 0 || file[^1] != '\n' || end == file.Length - 1)
            throw new InvalidDataException("it is cut off, or something else");
        try
        {
            var header = JsonSerializer.Deserialize(file[..end], MemoryJsonContext.Default.MemoryHeader);
            if (header?.Format != Format)
                throw new InvalidDataException("it is something else");
            if (header.Version != Version)
                throw new InvalidDataException($"it has version {header.Version}, this program writes {Version}");
            var content = file[(end + 1)..^1];
            if (header.Sha256 != Convert.ToHexStringLower(SHA256.HashData(content)))
                throw new InvalidDataException("its digest is wrong");
            return JsonSerializer.Deserialize(content, MemoryJsonContext.Default.MemoryDocument)
                ?? throw new InvalidDataException("it is empty");
        }
        catch (JsonException)
        {
            throw new InvalidDataException("it is damaged, or something else"); // The exception's own words may quote the file.
        }
    }
}
