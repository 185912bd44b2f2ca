using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Headers;

// Reads WWW-Authenticate (RFC 9110 sections 11.2 to 11.6.1). One header may carry several challenges, and commas separate
// both challenges and parameters: a word followed by '=' is a parameter, any other word begins a challenge.
// What cannot be understood is passed over; a header never makes this throw.
internal ref struct ChallengeParser
{
    private readonly ReadOnlySpan<char> _text;
    private int _position;

    private ChallengeParser(ReadOnlySpan<char> text) => _text = text;

    public static IReadOnlyList<AuthenticationChallenge> Parse(IEnumerable<string> headerValues)
    {
        var challenges = new List<AuthenticationChallenge>();
        foreach (var value in headerValues)
        {
            if (value.Length > RegistryLimits.ChallengeCharsMax)
                continue;
            var parser = new ChallengeParser(value);
            while (challenges.Count < RegistryLimits.ChallengesMax && parser.TryReadChallenge(out var challenge))
                challenges.Add(challenge);
        }

        return challenges;
    }

    private bool TryReadChallenge(out AuthenticationChallenge challenge)
    {
        challenge = AuthenticationChallenge.Anonymous;
        while (_position < _text.Length)
        {
            SkipSpacesAndCommas();
            var scheme = ReadWord();
            if (scheme.Length == 0)
            {
                _position++; // A character that begins nothing.
                continue;
            }

            if (AtEquals())
            {
                ReadValue(); // A parameter without a challenge before it.
                continue;
            }

            challenge = new AuthenticationChallenge(scheme.ToString().ToLowerInvariant(), ReadParameters());
            return true;
        }

        return false;
    }

    private Dictionary<string, string> ReadParameters()
    {
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (_position < _text.Length)
        {
            var start = _position;
            SkipSpacesAndCommas();
            var name = ReadWord();
            if (name.Length == 0 || !AtEquals())
            {
                // "Negotiate YII=": one word that is no name. Or the next challenge: only there a comma stands between.
                if (name.Length == 0 || _text[start.._position].Contains(','))
                {
                    _position = start;
                    if (name.Length == 0 && _position < _text.Length && !IsSeparator(_text[_position]))
                        _position++;
                    return parameters;
                }

                continue;
            }

            parameters.TryAdd(name.ToString(), ReadValue());
        }

        return parameters;
    }

    // After a name: spaces are allowed around '='. "abc==" is a token68, whose padding is no value.
    private bool AtEquals()
    {
        var ahead = _position;
        while (ahead < _text.Length && _text[ahead] is ' ' or '\t')
            ahead++;
        if (ahead >= _text.Length || _text[ahead] != '=')
            return false;
        _position = ahead + 1;
        return true;
    }

    private string ReadValue()
    {
        while (_position < _text.Length && _text[_position] is ' ' or '\t')
            _position++;
        if (_position < _text.Length && _text[_position] == '"')
            return ReadQuoted();

        // Unquoted values should be tokens; registries write URLs there, so everything up to a separator is taken.
        var start = _position;
        while (_position < _text.Length && !IsSeparator(_text[_position]))
            _position++;
        return _text[start.._position].ToString();
    }

    private string ReadQuoted()
    {
        var value = new System.Text.StringBuilder();
        for (_position++; _position < _text.Length; _position++)
        {
            var character = _text[_position];
            if (character == '"')
            {
                _position++;
                break;
            }

            if (character == '\\' && _position + 1 < _text.Length)
                character = _text[++_position];
            value.Append(character);
        }

        return value.ToString();
    }

    private ReadOnlySpan<char> ReadWord()
    {
        var start = _position;
        while (_position < _text.Length && IsTokenCharacter(_text[_position]))
            _position++;
        return _text[start.._position];
    }

    private void SkipSpacesAndCommas()
    {
        while (_position < _text.Length && IsSeparator(_text[_position]))
            _position++;
    }

    private static bool IsSeparator(char character) => character is ' ' or '\t' or ',';

    // Token68 has '/' too.
    private static bool IsTokenCharacter(char character) => HttpToken.IsCharacter(character) || character == '/';
}
