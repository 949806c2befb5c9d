using System.Text.Json;
using System.Text.Json.Nodes;
using MlNetDistill.Core;
using MlNetDistill.Fitting;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Networks;
using MlNetDistill.Searching;
using MlNetDistill.Training;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A finished training of a search with its weights.</summary>
internal sealed class SearchTrialReader : Reader
{
    private const string Setting = "a setting";
    private static readonly NetworkSpec Spec = NetworkSpec.Mlp(3);
    private readonly Network _network = Spec.Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 2);
    private readonly TrialStore _store;
    private readonly byte[] _weights;
    private readonly string _path;

    public SearchTrialReader()
    {
        using var weights = new MemoryStream();
        _network.save(weights);
        _weights = weights.ToArray();
        _store = new TrialStore(Folder.Path, "a fingerprint of sixteen");
        _store.Add(Trial());
        _path = Directory.GetFiles(Folder.Path, "*.json", SearchOption.AllDirectories).Single();
    }

    public override string Name => "search-trial";

    public override void Place(byte[] input) => File.WriteAllBytes(_path, input);

    public override void Read(byte[] input)
    {
        if (_store.Find(Setting) is not { } found)
            return;
        _ = found.History.Sum(progress => progress.Figures.Length) + found.Notes.Sum(note => note.Length) + found.Warnings.Sum(warning => warning.Length);
        if (found.Weights is { } weights && !weights.AsSpan().SequenceEqual(_weights))
            throw new WrongResultException("The weights are not those that were written.");
    }

    public override bool IsExpected(Exception error) =>
        Is<InvalidDataException>(error, $"'{_path}' ") || Is<InvalidDataException>(error, $"'{Path.ChangeExtension(_path, "weights")}' ");

    public override long Bound(int length) => (128 << 10) + (32L * length);

    public override byte[] Change(byte[] bytes, Random random) => JsonChanges.Change(bytes, random);

    public override byte[] Repair(byte[] bytes)
    {
        if (JsonChanges.Parse(bytes) is not JsonObject root)
            return bytes;
        try
        {
            var value = JsonSerializer.Deserialize<TrialResult>(root["value"], TrialStore.Json);
            root["sha256"] = Fingerprint.Compute(JsonSerializer.SerializeToUtf8Bytes(value, TrialStore.Json));
            return JsonChanges.Written(root);
        }
        catch (Exception error) when (error is JsonException or ArgumentException or InvalidOperationException)
        {
            // Too damaged to be repaired.
            return bytes;
        }
    }

    public override void Dispose()
    {
        _network.Dispose();
        base.Dispose();
    }

    protected override IReadOnlyList<byte[]> CreateSeeds() => [File.ReadAllBytes(_path)];

    private TrialResult Trial() => new()
    {
        Setting = Setting,
        Rung = new SearchRung(2, 10, 0.5, 0.5, 1, 1, TimeSpan.FromSeconds(1)),
        History = [new TrainingProgress("KD", 1, 2, new Dictionary<string, double> { ["total"] = 1 }, 0.01, new ValidationResult("accuracy", 0.5, 1), 10, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2))],
        Notes = ["a note"],
        Warnings = ["a warning"],
        Weights = _weights,
    };
}
