using System.Text.Json;
using System.Text.Json.Nodes;
using MlNetDistill.Core;
using MlNetDistill.Fitting;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Networks;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>The description of a training in its checkpoint directory, compared with that of a fit. (The states beside it are those of the reader training-state.)</summary>
internal sealed class TrainingDescriptionReader : Reader
{
    private static readonly FitDescription Fit = new()
    {
        Run = "0123456789abcdef0123456789abcdef",
        RowMemory = 1 << 20,
        Seed = 7,
        Method = "KD",
        Settings = [new ReportedSetting("BatchSize", "16"), new ReportedSetting("Student", "MLP 3")],
        Rows = 100,
        RowsHash = "a hash",
        Student = new(
            "MLP 3", typeof(NetworkSpec).FullName!, NetworkSpec.Mlp(3).ToJson(), new NetworkInput(InputShape.Vector(4), false, new InputStatistics([0, 1, 2, 3], [1, 1, 2, 2])), 3, ["a", "b", "c"],
            new("Class", "Features", "Score", "PredictedLabel")),
    };

    public override string Name => "training-description";

    private string FilePath => Path.Combine(Folder.Path, FitDescription.FileName);

    public override void Place(byte[] input) => File.WriteAllBytes(FilePath, input);

    public override void Read(byte[] input)
    {
        var found = FitDescription.Find(Folder.Path)!;
        _ = found.FindDifferences(Fit).Sum(difference => difference.Length) + found.Student.Classes?.Sum(name => name.Length) + found.Student.Columns?.Score.Length;
    }

    public override bool IsExpected(Exception error) => Is<InvalidDataException>(error, $"'{FilePath}' ");

    public override long Bound(int length) => (256 << 10) + (64L * length);

    public override byte[] Change(byte[] bytes, Random random) => JsonChanges.Change(bytes, random);

    public override byte[] Repair(byte[] bytes)
    {
        if (JsonChanges.Parse(bytes) is not JsonObject root)
            return bytes;
        try
        {
            if (JsonSerializer.Deserialize<FitDescription>(root, FitDescription.Json) is not { } description)
                return bytes;
            root["sha256"] = Fingerprint.Compute(JsonSerializer.Serialize(description with { Sha256 = "" }, FitDescription.Json));
            return JsonChanges.Written(root);
        }
        catch (Exception error) when (error is JsonException or ArgumentException or InvalidOperationException)
        {
            // Too damaged to be repaired.
            return bytes;
        }
    }

    protected override IReadOnlyList<byte[]> CreateSeeds()
    {
        Fit.Write(Folder.Path);
        return [File.ReadAllBytes(FilePath)];
    }
}
