namespace LazySnapshotter.Layers.Tar;

// From header blocks to entries: which extension says what, and which one has the last word (sparse name over GNU long
// name over pax record over header, as in Go's archive/tar).
internal sealed partial class TarParser
{
    private const byte TypeRegularOld = 0;
    private const byte TypeRegular = (byte)'0';
    private const byte TypeHardLink = (byte)'1';
    private const byte TypeSymbolicLink = (byte)'2';
    private const byte TypeCharacterDevice = (byte)'3';
    private const byte TypeBlockDevice = (byte)'4';
    private const byte TypeDirectory = (byte)'5';
    private const byte TypeFifo = (byte)'6';
    private const byte TypeGnuLongName = (byte)'L';
    private const byte TypeGnuLongLink = (byte)'K';
    private const byte TypePaxHeader = (byte)'x';
    private const byte TypePaxGlobalHeader = (byte)'g';

    private byte _metadataType;
    private byte[] _metadata = [];
    private int _metadataLength;
    private byte[] _globalHeaderName = [];

    private PaxHeader? _pax;
    private byte[]? _longName;
    private byte[]? _longLink;

    // A sparse file whose map is still being read.
    private TarEntry? _sparseEntry;
    private SparseMap10? _sparse10;
    private long _sparseStored;

    // The size a hard link's header stated: whether that much data follows, only the next block can tell.
    private long _linkSize;

    private bool HasPendingHeaders => _pax is not null || _longName is not null || _longLink is not null;

    private void TakeHeaderBlock()
    {
        var block = new TarHeaderBlock(_block);
        if (_linkSize > 0 && !block.IsZero && !block.HasValidChecksum)
        {
            // pax and star may store a hard link's data once more, others state a size and store nothing.
            Skip(Padded(_linkSize) - TarHeaderBlock.Length);
            _linkSize = 0;
            return;
        }

        _linkSize = 0;
        if (block.IsZero)
        {
            if (HasPendingHeaders)
                throw new InvalidDataException("an extended header is followed by the end of the archive");
            _part = Part.HalfEnd;
            return;
        }

        if (!block.HasValidChecksum)
            throw new InvalidDataException("not a tar header: the checksum does not match");

        switch (block.TypeFlag)
        {
            case TypePaxHeader or TypePaxGlobalHeader or TypeGnuLongName or TypeGnuLongLink:
                StartMetadata(block);
                break;
            default:
                TakeEntry(block);
                break;
        }
    }

    private void StartMetadata(TarHeaderBlock block)
    {
        var length = Number(block.Size, "size");
        if (length is < 0 or > TarLimits.MetadataLengthMax)
            throw new InvalidDataException($"extended header of {length} bytes, more than {TarLimits.MetadataLengthMax}");

        _metadataType = block.TypeFlag;
        _metadata = new byte[length];
        _metadataLength = 0;
        _globalHeaderName = block.TypeFlag == TypePaxGlobalHeader ? HeaderName(block) : [];
        _part = Part.Metadata;
        if (length == 0)
            EndMetadata();
    }

    private int CollectMetadata(ReadOnlySpan<byte> bytes)
    {
        var consumed = Math.Min(bytes.Length, _metadata.Length - _metadataLength);
        bytes[..consumed].CopyTo(_metadata.AsSpan(_metadataLength));
        _metadataLength += consumed;
        Offset += consumed;
        if (_metadataLength < _metadata.Length)
            return consumed;

        try
        {
            EndMetadata();
        }
        catch (InvalidDataException exception)
        {
            throw Broken(Offset - _metadata.Length, exception.Message, exception);
        }

        return consumed;
    }

    private void EndMetadata()
    {
        var metadata = _metadata;
        switch (_metadataType)
        {
            case TypePaxHeader:
                _pax = PaxHeader.Parse(metadata, keepHeaders);
                break;
            case TypePaxGlobalHeader:
                // Go looks at nothing in it but the path, which becomes its own name.
                var name = PaxHeader.Parse(metadata).Path ?? _globalHeaderName;
                sink.Add(new TarEntry { Type = TarEntryType.GlobalHeader, Name = name, LinkName = [] });
                break;
            case TypeGnuLongName:
                _longName = UpToNul(metadata);
                break;
            default:
                _longLink = UpToNul(metadata);
                break;
        }

        _metadata = [];
        Skip(Padded(metadata.Length) - metadata.Length);
    }

    private void TakeEntry(TarHeaderBlock block)
    {
        var pax = _pax;
        pax?.CheckNumbers();
        var name = NonEmpty(_longName) ?? pax?.Path ?? HeaderName(block);
        var linkName = NonEmpty(_longLink) ?? pax?.LinkPath ?? block.LinkName.ToArray();
        (_pax, _longName, _longLink) = (null, null, null);

        var type = block.TypeFlag switch
        {
            TypeRegularOld when name is [.., (byte)'/'] => TarEntryType.Directory, // how v7 marks directories
            TypeRegularOld or TypeRegular => TarEntryType.File,
            TypeHardLink => TarEntryType.HardLink,
            TypeSymbolicLink => TarEntryType.SymbolicLink,
            TypeCharacterDevice => TarEntryType.CharacterDevice,
            TypeBlockDevice => TarEntryType.BlockDevice,
            TypeDirectory => TarEntryType.Directory,
            TypeFifo => TarEntryType.Fifo,
            // Go reads contiguous files ('7') and GNU's old sparse ones ('S'), but containerd unpacks neither.
            var other => throw new InvalidDataException($"entry type 0x{other:x2} is none that containerd unpacks"),
        };

        var size = pax?.GetNumber("size") ?? Number(block.Size, "size");
        if (size is < 0 or > TarLimits.FileLengthMax)
            throw new InvalidDataException($"entry of {size} bytes, more than {TarLimits.FileLengthMax}");
        var mtime = pax?.GetTime("mtime") ?? (Number(block.Mtime, "mtime"), 0);
        var hasDevice = block.Format != TarFormat.V7;

        var entry = new TarEntry
        {
            Type = type,
            Name = name,
            LinkName = linkName,
            Mode = Number(block.Mode, "mode"),
            Uid = pax?.GetNumber("uid") ?? Number(block.Uid, "uid"),
            Gid = pax?.GetNumber("gid") ?? Number(block.Gid, "gid"),
            MtimeSeconds = mtime.Seconds,
            MtimeNanoseconds = mtime.Nanoseconds,
            Size = type == TarEntryType.File ? size : 0,
            DeviceMajor = hasDevice ? Number(block.DeviceMajor, "devmajor") : 0,
            DeviceMinor = hasDevice ? Number(block.DeviceMinor, "devminor") : 0,
            Xattrs = pax?.Xattrs ?? [],
            HeaderOffset = Offset - TarHeaderBlock.Length,
            DataOffset = Offset,
            Header = keepHeaders ? FactsOf(block, pax?.Records, size) : null,
        };

        if (type == TarEntryType.File && pax is not null && StartPaxSparse(pax, entry, size))
            return;

        _linkSize = type == TarEntryType.HardLink && !keepHeaders ? size : 0;
        sink.Add(entry);
        Skip(Padded(entry.Size));
    }

    /// <summary>Whether the pax records make this a sparse file; then its entry is added here or later.</summary>
    private bool StartPaxSparse(PaxHeader pax, TarEntry entry, long storedLength)
    {
        bool? mapInData = (pax.SparseMajor, pax.SparseMinor) switch
        {
            ("1", "0") => true,
            ("0", "0" or "1") => false,
            (null, null) when pax.SparseMap is not null || pax.SparsePairs.Count > 0 => false, // before versions were recorded
            _ => null,
        };
        if (mapInData is null)
            return false;

        _sparseEntry = entry with
        {
            Name = pax.SparseName ?? entry.Name,
            Size = pax.GetNumber("GNU.sparse.size") ?? pax.GetNumber("GNU.sparse.realsize") ?? entry.Size,
        };
        _sparseStored = storedLength;
        if (mapInData.Value)
        {
            _sparse10 = new SparseMap10();
            _part = Part.Sparse10;
        }
        else
        {
            EndSparse(pax.SparseMap is { } text ? SparseMap.FromText(text) : SparseMap.FromPairs(pax.SparsePairs));
        }

        return true;
    }

    private void TakeSparse10Block(ReadOnlySpan<byte> block)
    {
        _sparseStored -= TarHeaderBlock.Length;
        if (_sparseStored < 0)
            throw new InvalidDataException("a sparse file's map is longer than the file's data");
        if (_sparse10!.Append(block))
            EndSparse(_sparse10.Map);
    }

    private void EndSparse(SparseMap map)
    {
        var entry = _sparseEntry!;
        if (entry.Size is < 0 or > TarLimits.FileLengthMax)
            throw new InvalidDataException($"sparse file of {entry.Size} bytes, more than {TarLimits.FileLengthMax}");
        entry = entry with { Sparse = map.Complete(entry.Size, _sparseStored), DataOffset = Offset };
        (_sparseEntry, _sparse10) = (null, null);
        sink.Add(entry);
        Skip(Padded(_sparseStored));
    }

    private static TarHeaderFacts FactsOf(TarHeaderBlock block, PaxRecords? records, long statedSize)
    {
        var hasOwners = block.Format != TarFormat.V7;
        return new TarHeaderFacts
        {
            UserName = records?.Find("uname"u8) ?? (hasOwners ? block.UserName.ToArray() : []),
            GroupName = records?.Find("gname"u8) ?? (hasOwners ? block.GroupName.ToArray() : []),
            StatedSize = statedSize,
            PaxRecords = records?.ToList() ?? [],
        };
    }

    private static byte[] HeaderName(TarHeaderBlock block)
    {
        ReadOnlySpan<byte> prefix = block.Format switch
        {
            TarFormat.Ustar => block.UstarPrefix,
            TarFormat.Star => block.StarPrefix,
            TarFormat.Gnu when HasPrefixInsteadOfTimes(block) => block.UstarPrefix,
            _ => default,
        };
        return prefix.IsEmpty ? block.Name.ToArray() : [.. prefix, (byte)'/', .. block.Name];
    }

    // Go before 1.8 (so: Docker before 1.13) could write the ustar prefix into a GNU header, where the times belong.
    private static bool HasPrefixInsteadOfTimes(TarHeaderBlock block)
    {
        var timesValid = IsTime(block.GnuAccessTime) && IsTime(block.GnuChangeTime);
        return !timesValid && System.Text.Ascii.IsValid(block.UstarPrefix);

        static bool IsTime(ReadOnlySpan<byte> field) => field[0] == 0 || TarNumber.TryParseField(field, out _);
    }

    private static byte[]? NonEmpty(byte[]? name) => name is { Length: > 0 } ? name : null;

    private static byte[] UpToNul(byte[] text)
    {
        var end = Array.IndexOf(text, (byte)0);
        return end < 0 ? text : text[..end];
    }

    private static long Number(ReadOnlySpan<byte> field, string name) =>
        TarNumber.TryParseField(field, out var value) ? value : throw new InvalidDataException($"header field {name} is not a number");
}
