using System.Security.Cryptography;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Memory;

// What hosts told us and need not be asked again: per endpoint what it wants to see, per scope the token, per blob of a
// repository where it lies, per tag what it named, per host what it cannot do, and manifests by their digest. Everything is
// bounded, and kept over a restart where there is a folder for it. It is a memory of answers, not of rights: a token is
// used for the credentials it was got with alone, a location or a manifest for the repository it was got from alone.
//
// Written in the background some moments after a change and when disposed of. Whatever cannot be read or written costs
// round trips, never an operation.
internal sealed class RegistryMemory : IDisposable
{
    private const int LoginKeyBytes = 32;

    // Three bytes show that credentials changed; they are too few to try passwords on.
    private const int LoginMarkBytes = 3;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly MemoryFile? _file;
    private readonly TimeSpan _writeDelay;
    private readonly ILogger _logger;
    private byte[] _loginKey = RandomNumberGenerator.GetBytes(LoginKeyBytes);
    private Task? _writing;
    private bool _changed;
    private bool _disposed;
    private bool _writeFailed;

    public RegistryMemory(RegistryOptions options, ILogger logger)
    {
        _logger = logger;
        _writeDelay = options.MemoryWriteDelay;
        Challenges = new(RegistryLimits.RememberedHostsMax, options.Clock, Changed);
        Tokens = new(RegistryLimits.RememberedTokensMax, options.Clock, Changed);
        Locations = new(RegistryLimits.RememberedBlobsMax, options.Clock, Changed);
        Tags = new(RegistryLimits.RememberedTagsMax, options.Clock, Changed);
        Gaps = new(RegistryLimits.RememberedHostsMax, options.Clock, Changed);
        _file = Open(options.MemoryPath);
        Manifests = new ManifestMemory(_file is null ? null : Path.Combine(options.MemoryPath!, "manifests"), logger);
        if (_file is not null)
            Absorb();
    }

    public MemoryTable<RememberedChallenge> Challenges { get; }

    public MemoryTable<RememberedToken> Tokens { get; }

    public MemoryTable<RememberedLocation> Locations { get; }

    public MemoryTable<RememberedTag> Tags { get; }

    public MemoryTable<RememberedGap> Gaps { get; }

    public ManifestMemory Manifests { get; }

    /// <summary>Tells credentials apart without holding them.</summary>
    public string MarkOf(Credentials? login)
    {
        byte[] key;
        lock (_gate)
            key = _loginKey;
        return login is null ? "nobody" : Convert.ToHexStringLower(login.Fingerprint(key).AsSpan(0, LoginMarkBytes));
    }

    public void Dispose()
    {
        Task? writing;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            writing = _writing;
        }

        _ending.Cancel();
        writing?.GetAwaiter().GetResult(); // It ends at once, or is writing, which has its limit.
        if (_changed)
            Write();
        _ending.Dispose();
    }

    private MemoryFile? Open(string? folder)
    {
        if (folder is null)
            return null;
        try
        {
            var file = new MemoryFile(folder);
            file.Prepare();
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.MemoryUnusable(folder, e.Message);
            return null;
        }
    }

    private void Absorb()
    {
        try
        {
            if (_file!.Read() is { } document)
                Absorb(document);
        }
        catch (InvalidDataException e)
        {
            SetAside(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.MemoryUnusable(_file!.Name, e.Message);
        }
    }

    private void Absorb(MemoryDocument document)
    {
        if (document.LoginKey is not { Length: LoginKeyBytes })
            throw new InvalidDataException("its key is none");
        lock (_gate)
        {
            // Marks made with another key say nothing any more. The tokens stay with those who use them.
            if (!_loginKey.AsSpan().SequenceEqual(document.LoginKey))
            {
                _loginKey = document.LoginKey;
                foreach (var token in Tokens.Living())
                    Tokens.Drop(token.Key);
            }
        }

        Challenges.Merge(document.Challenges);
        Tokens.Merge(document.Tokens);
        Locations.Merge(document.Locations);
        Tags.Merge(document.Tags);
        Gaps.Merge(document.Gaps);
    }

    private void SetAside(string cause)
    {
        try
        {
            _file!.SetAside();
            _logger.MemoryForgotten(_file.Name, cause);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.MemoryForgotten(_file!.Name, $"{cause}; {e.Message}");
        }
    }

    private void Changed()
    {
        if (_file is null)
            return;
        lock (_gate)
        {
            _changed = true;
            if (!_disposed)
                _writing ??= WriteSoonAsync();
        }
    }

    private async Task WriteSoonAsync()
    {
        while (true)
        {
            try
            {
                await Task.Delay(_writeDelay, _ending.Token);
            }
            catch (OperationCanceledException)
            {
                return; // Dispose writes.
            }

            Write();
            lock (_gate)
            {
                if (!_changed || _disposed)
                {
                    _writing = null;
                    return;
                }
            }
        }
    }

    private void Write()
    {
        try
        {
            using var turn = _file!.TryLock();
            if (turn is null)
                return; // Still changed: next time.
            lock (_gate)
                _changed = false;
            if (_file.HasChanged)
                Absorb();
            _file.Write(
                new MemoryDocument(_loginKey, Challenges.Living(), Tokens.Living(), Locations.Living(), Tags.Living(), Gaps.Living()));
            _writeFailed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Said once, not with every change.
            if (!_writeFailed)
                _logger.MemoryUnusable(_file!.Name, e.Message);
            _writeFailed = true;
            lock (_gate)
                _changed = true; // Next time, should it be mended.
        }
    }
}
