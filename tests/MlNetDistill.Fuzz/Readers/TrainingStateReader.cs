using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MlNetDistill.Core;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>The state of a training, in the safetensors format.</summary>
internal sealed class TrainingStateReader : Reader
{
    private const int PrefixBytes = 8;
    private const string Metadata = "__metadata__";

    public override string Name => "training-state";

    public override int Cost => 2;

    public override void Read(byte[] input)
    {
        using var state = TrainingState.Load(new MemoryStream(input));
        // Whoever continues from it looks at all of these.
        _ = state.History.Sum(progress => progress.Figures.Length) + state.Decisions.Sum(decision => decision.Question.Length) + state.Warnings.Sum(warning => warning.Length);
        _ = state.Tensors().Sum(tensor => tensor.Value.numel());
    }

    public override bool IsExpected(Exception error) => Is<InvalidDataException>(error, "The file of a training state cannot be read: ");

    public override long Bound(int length) => (128 << 10) + (24L * length);

    public override byte[] Change(byte[] bytes, Random random)
    {
        if (random.Next(4) == 0 || HeaderOf(bytes) is not { } header)
            return ByteChanges.Apply(bytes, Seeds, random);
        var changed = header;
        if (random.Next(3) == 0 && JsonChanges.Parse(header) is JsonObject root && root[Metadata] is JsonObject metadata
            && metadata["state"] is JsonValue text && text.TryGetValue<string>(out var state))
        {
            metadata["state"] = Encoding.UTF8.GetString(JsonChanges.Change(Encoding.UTF8.GetBytes(state), random));
            changed = JsonChanges.Written(root);
        }
        else
        {
            changed = JsonChanges.Change(header, random);
        }

        return WithHeader(bytes, header.Length, changed);
    }

    public override byte[] Repair(byte[] bytes)
    {
        try
        {
            if (HeaderOf(bytes) is not { } header || JsonChanges.Parse(header) is not JsonObject root || root[Metadata] is not JsonObject metadata)
                return bytes;
            var all = new StringBuilder().Append(metadata["version"]).Append('\0').Append(metadata["state"]);
            foreach (var (name, entry) in root.Where(property => property.Key != Metadata))
            {
                var (begin, end) = ((long)entry!["data_offsets"]![0]!, (long)entry["data_offsets"]![1]!);
                var from = PrefixBytes + header.Length;
                if (begin >= 0 && end >= begin && from + end <= bytes.Length)
                    metadata[$"sha256 {name}"] = Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan((int)(from + begin), (int)(end - begin))));
                var shape = string.Join(',', entry["shape"]!.AsArray().Select(size => ((long)size!).ToString(CultureInfo.InvariantCulture)));
                all.Append(CultureInfo.InvariantCulture, $"\0{name}\0{entry["dtype"]}\0{shape}\0{begin}\0{end}\0{metadata[$"sha256 {name}"]}");
            }

            metadata["sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
            return WithHeader(bytes, header.Length, JsonChanges.Written(root));
        }
        catch (Exception error) when (error is NullReferenceException or InvalidOperationException or ArgumentException or FormatException)
        {
            // Too damaged to be repaired.
            return bytes;
        }
    }

    protected override IReadOnlyList<byte[]> CreateSeeds()
    {
        // Its state is written, too, and the same seed gives the same inputs.
        TorchSharp.torch.manual_seed(1);
        using var student = NetworkSpec.Mlp(3).Build(new NetworkInput(InputShape.Vector(4)), 3, seed: 1);
        using var state = TrainingState.Start(student, new Seeds(1), "student");
        var result = new ValidationResult("accuracy", 0.5, 1);
        state.History.Add(new TrainingProgress("KD", 1, 2, new Dictionary<string, double> { ["total"] = 1 }, 0.01, result, 10, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));
        state.Decisions.Add(new MethodDecision("the anchor after epoch 1", 2));
        state.Warnings.Add("a warning");
        var start = Save(state);
        var stage = state.BeginStage("KD", startsTrained: false);
        stage.FirstLosses = [1, 0.5];
        stage.Best.KeepIfBetter(result, student);
        return [start, Save(state)];
    }

    private static byte[] Save(TrainingState state)
    {
        using var stream = new MemoryStream();
        state.Save(stream);
        return stream.ToArray();
    }

    private static byte[]? HeaderOf(byte[] bytes)
    {
        if (bytes.Length < PrefixBytes)
            return null;
        var length = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return length > 0 && length <= bytes.Length - PrefixBytes ? bytes[PrefixBytes..(PrefixBytes + (int)length)] : null;
    }

    private static byte[] WithHeader(byte[] bytes, int oldLength, byte[] header)
    {
        var length = new byte[PrefixBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. bytes[(PrefixBytes + oldLength)..]];
    }
}
