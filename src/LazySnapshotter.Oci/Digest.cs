using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace LazySnapshotter.Oci;

// A content digest, `algorithm:hex` (OCI image-spec, descriptor.md, "Digests"). Only the two algorithms the
// specification registers are accepted, so a Digest that exists can always be checked, and its hex part is
// always safe as a file name. The default value stands for no digest; everything but IsDefault throws on it.
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    public const string Sha256Algorithm = "sha256";
    public const string Sha512Algorithm = "sha512";

    private readonly string? _value;

    private Digest(string value) => _value = value;

    public bool IsDefault => _value is null;

    /// <summary><c>sha256</c> or <c>sha512</c>.</summary>
    public string Algorithm => Value[..Value.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>Lower-case hexadecimal, 64 or 128 characters.</summary>
    public string Hex => Value[(Value.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private string Value => _value ?? throw new InvalidOperationException("the default Digest has no value");

    /// <exception cref="FormatException">Not <c>sha256:</c> with 64 or <c>sha512:</c> with 128 lower-case hex digits.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"\"{text}\" is not a sha256 or sha512 digest");

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null)
            return false;

        var hexLength = text.StartsWith(Sha256Algorithm + ":", StringComparison.Ordinal) ? SHA256.HashSizeInBytes * 2
            : text.StartsWith(Sha512Algorithm + ":", StringComparison.Ordinal) ? SHA512.HashSizeInBytes * 2
            : -1;
        if (hexLength < 0 || text.Length != Sha256Algorithm.Length + 1 + hexLength)
            return false;

        foreach (var character in text.AsSpan(Sha256Algorithm.Length + 1))
        {
            if (!char.IsAsciiHexDigitLower(character) && !char.IsAsciiDigit(character))
                return false;
        }

        digest = new Digest(text);
        return true;
    }

    /// <param name="hash">The 32 bytes of a SHA-256.</param>
    public static Digest FromSha256(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, SHA256.HashSizeInBytes);
        return new Digest(Sha256Algorithm + ":" + Convert.ToHexStringLower(hash));
    }

    public static Digest OfSha256(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return FromSha256(hash);
    }

    /// <summary>A running hash of this digest's algorithm, to check a stream against it.</summary>
    public IncrementalHash CreateHash() =>
        IncrementalHash.CreateHash(Algorithm == Sha512Algorithm ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);

    public bool Matches(ReadOnlySpan<byte> hash) => hash.SequenceEqual(Convert.FromHexString(Hex));

    public bool IsDigestOf(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        var written = Algorithm == Sha512Algorithm ? SHA512.HashData(content, hash) : SHA256.HashData(content, hash);
        return Matches(hash[..written]);
    }

    public bool Equals(Digest other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    public override int GetHashCode() => _value is null ? 0 : _value.GetHashCode(StringComparison.Ordinal);

    public int CompareTo(Digest other) => string.CompareOrdinal(_value, other._value);

    public override string ToString() => _value ?? "";

    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);

    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}
