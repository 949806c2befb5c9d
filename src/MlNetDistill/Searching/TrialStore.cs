using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Fitting;

namespace MlNetDistill.Searching;

/// <summary>Finished trainings, in a folder so that a later search continues there, or nowhere.</summary>
internal sealed class TrialStore
{
    private const int Format = 1;
    private readonly string? _folder;

    /// <param name="folder">The folder of the user, or null to keep nothing.</param>
    /// <param name="fingerprint">A hash of everything that all trainings depend on; it names a sub-folder.</param>
    public TrialStore(string? folder, string fingerprint)
    {
        if (folder is not null)
            _folder = WriteFailure.CreateFolder(Path.Combine(folder, $"search-{fingerprint[..16]}"), "finished trainings of the search");
    }

    /// <summary>How values are written.</summary>
    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // The same bytes on every system: they are hashed.
        NewLine = "\n",
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        IgnoreReadOnlyProperties = true,
    };

    /// <summary>A finished training with its weights; null if there is none.</summary>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public TrialResult? Find(string setting)
    {
        if (_folder is null || !File.Exists(PathOf(setting, ".json")))
            return null;
        var (path, weightsPath) = (PathOf(setting, ".json"), PathOf(setting, ".weights"));
        var found = Read<TrialResult>(path);
        if (found.Setting != setting || (found.Failure is null && !File.Exists(weightsPath)))
            return null;
        if (found.History.Contains(null!) || found.Notes.Contains(null!) || found.Warnings.Contains(null!) || (found.Failure is null) != (found.Rung is not null))
            throw CreateError(path, "a part of it is null");
        if (found.Failure is not null)
            return found;
        var weights = File.ReadAllBytes(weightsPath);
        return Fingerprint.Compute(weights) == found.WeightsSha256 ? found with { Weights = weights } : throw CreateError(weightsPath, "it does not match its SHA-256");
    }

    /// <summary>The error of weights that are whole, and not those of the candidate's student.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="cause">Its message is the end of a sentence about them.</param>
    public Exception CreateWeightsError(TrialResult result, InvalidDataException cause) =>
        _folder is null ? cause : CreateError(PathOf(result.Setting, ".weights"), cause.Message, cause);

    /// <summary>Keeps a finished training. Its weights are written first, so that they are complete where the result is.</summary>
    public void Add(TrialResult result)
    {
        if (_folder is null)
            return;
        if (result.Weights is { } weights)
            AtomicFile.Write(PathOf(result.Setting, ".weights"), stream => stream.Write(weights), "the weights of a finished training of the search");
        Write(PathOf(result.Setting, ".json"), result with { WeightsSha256 = result.Weights is null ? null : Fingerprint.Compute(result.Weights) });
    }

    /// <summary>The budget that a time limit became in an earlier run; null if there is none.</summary>
    public double? FindBudget(string options) => _folder is not null && File.Exists(PathOf(options, ".budget")) ? Read<double>(PathOf(options, ".budget")) : null;

    /// <summary>Keeps the budget that a time limit became.</summary>
    public void AddBudget(string options, double budget)
    {
        if (_folder is not null)
            Write(PathOf(options, ".budget"), budget);
    }

    private string PathOf(string key, string extension) => Path.Combine(_folder!, Fingerprint.Compute(key)[..16] + extension);

    private static void Write<T>(string path, T value)
        where T : notnull =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, new Stored<T>(Format, Hash(value), value), Json), "a finished training of the search");

    private static T Read<T>(string path)
        where T : notnull
    {
        try
        {
            var text = File.ReadAllBytes(path);
            if (JsonFormat.FindFault(text, "format", Format) is { } other)
                throw CreateError(path, other);
            var stored = JsonSerializer.Deserialize<Stored<T>>(text, Json);
            if (stored is null || stored.Value is null)
                throw new JsonException("It is 'null'.");
            return Hash(stored.Value) == stored.Sha256 ? stored.Value : throw CreateError(path, "it does not match its SHA-256");
        }
        catch (JsonException e)
        {
            throw CreateError(path, e.Message.TrimEnd('.'), e);
        }
    }

    private static string Hash<T>(T value) => Fingerprint.Compute(JsonSerializer.SerializeToUtf8Bytes(value, Json));

    private static InvalidDataException CreateError(string path, string fault, Exception? cause = null) => new(
        $"'{path}' should hold a finished training of a search, and cannot be read: {fault}. Delete the file, and the search trains it again.", cause);

    /// <summary>What a file holds.</summary>
    /// <param name="Format">Number of the format.</param>
    /// <param name="Sha256">The SHA-256 of the value as this class writes it.</param>
    /// <param name="Value">The value.</param>
    private sealed record Stored<T>(int Format, string Sha256, T Value);
}
