using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.TestSupport.Registry;

// Gives out tokens and checks them (distribution's token authentication specification), and checks names and
// passwords. Remembers every secret it handed out or accepted, so that a test can look for them where they must not be.
public sealed class TestTokens
{
    private readonly TestRegistryOptions _options;
    private readonly ConcurrentDictionary<string, Grant> _grants = new();
    private readonly ConcurrentDictionary<string, bool> _refreshTokens = new();
    private readonly ConcurrentQueue<string> _secrets = new();

    internal TestTokens(TestRegistryOptions options)
    {
        _options = options;
        if (options.Username is not null)
        {
            _secrets.Enqueue(options.Password);
            _secrets.Enqueue(BasicValue());
        }

        if (options.IdentityToken is not null)
            _secrets.Enqueue(options.IdentityToken);
    }

    /// <summary>Passwords, tokens and signatures.</summary>
    public IReadOnlyCollection<string> Secrets => _secrets;

    /// <summary>Makes every token given out so far worthless, whatever its lifetime.</summary>
    public void RevokeAll() => _grants.Clear();

    /// <summary>The same for those that are older than <paramref name="age"/>.</summary>
    public void RevokeOlderThan(TimeSpan age)
    {
        foreach (var (token, grant) in _grants)
        {
            if (grant.ExpiresAt - _options.TokenLifetime < DateTimeOffset.UtcNow - age)
                _grants.TryRemove(token, out _);
        }
    }

    public void RevokeRefreshTokens() => _refreshTokens.Clear();

    public void AddSecret(string secret) => _secrets.Enqueue(secret);

    internal bool MayPull(TestRequest request, string repository) => May(request, repository, "pull");

    internal bool May(TestRequest request, string repository, string action)
    {
        if (_options.Auth == TestAuthMode.None || (_options.OpenForReading && action == "pull"))
            return true;
        if (_options.Auth == TestAuthMode.Basic)
            return request.Authorization == "Basic " + BasicValue();
        return request.Authorization?.StartsWith("Bearer ", StringComparison.Ordinal) == true
            && _grants.TryGetValue(request.Authorization["Bearer ".Length..], out var grant)
            && grant.ExpiresAt > DateTimeOffset.UtcNow
            && (repository.Length == 0 || grant.Allows(repository, action));
    }

    /// <summary>Answers a request to the token service.</summary>
    internal async Task<(int Status, string Json)> AnswerAsync(TestRequest request, HttpRequest http)
    {
        string[] scopes;
        if (HttpMethods.IsPost(request.Method))
        {
            if (_options.IdentityToken is null && !_options.PasswordsByPost && _refreshTokens.IsEmpty)
                return (StatusCodes.Status404NotFound, "{}");
            var form = await http.ReadFormAsync();
            request.Form = string.Join('&', form.Select(f => $"{f.Key}={f.Value}"));
            if (!Accepts(form))
                return (StatusCodes.Status401Unauthorized, """{"details":"wrong grant"}""");
            scopes = form["scope"].ToString().Split(' ');
        }
        else
        {
            if (_options.PasswordsByPost)
                return (StatusCodes.Status405MethodNotAllowed, "{}");
            if (_options.Username is not null && request.Authorization != "Basic " + BasicValue())
                return (StatusCodes.Status401Unauthorized, """{"details":"incorrect username or password"}""");
            scopes = [.. http.Query["scope"].Select(s => s ?? "")];
        }

        var token = "token-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _secrets.Enqueue(token);
        _grants[token] = new Grant(scopes, DateTimeOffset.UtcNow + _options.TokenLifetime);
        return (StatusCodes.Status200OK,
            $$"""{"token":"{{token}}","expires_in":{{(long)_options.TokenLifetime.TotalSeconds}}{{RefreshToken()}}}""");
    }

    private bool Accepts(IFormCollection form) => form["grant_type"].ToString() switch
    {
        "refresh_token" =>
            form["refresh_token"] == _options.IdentityToken || _refreshTokens.TryRemove(form["refresh_token"].ToString(), out _),
        "password" => _options.PasswordsByPost && form["username"] == _options.Username && form["password"] == _options.Password,
        _ => false,
    };

    // Good once: each use hands out the next one.
    private string RefreshToken()
    {
        if (!_options.HandsOutRefreshTokens)
            return "";
        var token = "refresh-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _secrets.Enqueue(token);
        _refreshTokens[token] = true;
        return $",\"refresh_token\":\"{token}\"";
    }

    private string BasicValue() => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_options.Username}:{_options.Password}"));

    private sealed record Grant(IReadOnlyList<string> Scopes, DateTimeOffset ExpiresAt)
    {
        public bool Allows(string repository, string action) => Scopes.Any(scope =>
            scope.StartsWith($"repository:{repository}:", StringComparison.Ordinal)
                && scope[(scope.LastIndexOf(':') + 1)..].Split(',').Contains(action));
    }
}
