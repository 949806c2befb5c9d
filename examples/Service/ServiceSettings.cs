using System.ComponentModel.DataAnnotations;

namespace Service;

/// <summary>
/// How the service runs, by the names of the properties: <c>--Model student.zip</c>, an environment variable <c>MaxConnections</c>, a line of appsettings.json.
/// </summary>
internal sealed class ServiceSettings
{
    /// <summary>The zip of the student.</summary>
    [Required(ErrorMessage = "Model must name a saved student: --model student.zip (examples/Quickstart writes one).")]
    public string Model { get; init; } = "student.zip";

    /// <summary>Seconds between two looks at the model's file, whose student replaces the one in service if it has changed; 0: only <c>POST /model/reload</c> replaces it.</summary>
    [Range(0, 86_400, ErrorMessage = "WatchSeconds must be from 0 to 86400.")]
    public int WatchSeconds { get; init; } = 2;

    /// <summary>Name of the feature column; may be null if the student reads only one vector.</summary>
    [MinLength(1, ErrorMessage = "Features must be the name of a column, or be left out.")]
    public string? Features { get; init; }

    /// <summary>Addresses for scoring, separated by semicolons.</summary>
    [Required(ErrorMessage = "Urls must be the addresses to score at, for example http://localhost:5000.")]
    public string Urls { get; init; } = "http://localhost:5000";

    /// <summary>Addresses for health and metrics, which clients need not reach.</summary>
    [Required(ErrorMessage = "ManagementUrls must be the addresses for health and metrics, for example http://localhost:5001.")]
    public string ManagementUrls { get; init; } = "http://localhost:5001";

    /// <summary>Host names that requests may use, separated by semicolons; <c>*</c> for any. Null: this machine and the hosts of the addresses.</summary>
    public string? AllowedHosts { get; init; }

    /// <summary>Most open connections; further ones are closed at once.</summary>
    [Range(1, 1_000_000, ErrorMessage = "MaxConnections must be from 1 to 1000000.")]
    public int MaxConnections { get; init; } = 1000;

    /// <summary>Most rows scored together; 1: each alone, by a pool of prediction engines.</summary>
    [Range(1, 10_000, ErrorMessage = "MaxBatch must be from 1 to 10000.")]
    public int MaxBatch { get; init; } = 64;

    /// <summary>Milliseconds that a row waits for others to be scored with it. 0: only while rows before it are being scored.</summary>
    [Range(0, 1000, ErrorMessage = "BatchWaitMilliseconds must be from 0 to 1000.")]
    public int BatchWaitMilliseconds { get; init; }

    /// <summary>Most rows scored at the same time; 0: two for each processor, times <see cref="MaxBatch"/>.</summary>
    [Range(0, 100_000, ErrorMessage = "MaxConcurrent must be from 0 to 100000.")]
    public int MaxConcurrent { get; init; }

    /// <summary>Most requests that wait to be scored; further ones get status 429.</summary>
    [Range(0, 1_000_000, ErrorMessage = "MaxQueued must be from 0 to 1000000.")]
    public int MaxQueued { get; init; } = 1000;

    /// <summary>Most requests per second from one address; further ones get status 429. 0: no limit, for use behind a proxy, where all requests have its address.</summary>
    [Range(0, 1_000_000_000, ErrorMessage = "RequestsPerSecond must be from 0 to 1000000000.")]
    public int RequestsPerSecond { get; init; }

    /// <summary>Most seconds that open requests may take when the service shuts down; orchestrators commonly kill a process after 30 seconds.</summary>
    [Range(0, 3600, ErrorMessage = "ShutdownSeconds must be from 0 to 3600.")]
    public int ShutdownSeconds { get; init; } = 10;

    /// <summary>The names of <see cref="AllowedHosts"/>, or their defaults.</summary>
    public IEnumerable<string> Hosts => AllowedHosts is { } hosts
        ? hosts.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        : new[] { "localhost", "127.0.0.1", "[::1]" }.Concat(Addresses(Urls).Concat(Addresses(ManagementUrls)).Select(url => BindingAddress.Parse(url).Host))
            .Where(host => host is not ("*" or "+" or "0.0.0.0" or "[::]")).Distinct();

    /// <summary>Splits a list of addresses.</summary>
    public static string[] Addresses(string urls) => urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <exception cref="UsageException">A setting is out of its range or cannot be read; the message names all of these.</exception>
    public static ServiceSettings Read(IConfiguration configuration)
    {
        ServiceSettings settings;
        try
        {
            settings = configuration.Get<ServiceSettings>() ?? new();
        }
        catch (InvalidOperationException e)
        {
            throw new UsageException($"{e.Message} {e.InnerException?.Message}".Trim());
        }

        var faults = new List<ValidationResult>();
        return Validator.TryValidateObject(settings, new ValidationContext(settings), faults, validateAllProperties: true)
            ? settings
            : throw new UsageException(string.Join(Environment.NewLine, faults.Select(fault => fault.ErrorMessage)));
    }
}
