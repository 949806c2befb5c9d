using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>
/// Answers as the fields of a teacher cache and back. Everything that is looked up went through here, whether it was just computed or comes from a file, so a
/// first run and a later one see the same bits.
/// </summary>
internal sealed class OutputEncoding(CacheFileKey key)
{
    private readonly IReadOnlyList<CacheField> _fields = CacheField.Of(key);

    /// <summary>The fields of a chunk, in their order and types, contiguous on the CPU, in the current dispose scope.</summary>
    /// <exception cref="InvalidOperationException">The chunk is not what the key says, or a value is not finite or too large.</exception>
    public IReadOnlyList<Tensor> Encode(OutputChunk chunk)
    {
        var parts = Parts().ToList();
        if (chunk.Parts.Count != parts.Count)
            throw new InvalidOperationException($"The teacher answered {chunk.Parts.Count} outputs, not {parts.Count}.");
        var fields = new List<Tensor>(_fields.Count);
        foreach (var ((output, name, dimensions), given) in parts.Zip(chunk.Parts))
        {
            if (!given.shape.SequenceEqual([chunk.Ids.Count, .. dimensions]) || given.dtype != ScalarType.Float32)
            {
                throw new InvalidOperationException(
                    $"The teacher's {name} must be [{string.Join(", ", dimensions.Prepend(chunk.Ids.Count))}] Float32; got [{string.Join(", ", given.shape)}] {given.dtype}.");
            }

            var part = given.device_type == DeviceType.CPU && given.is_contiguous() ? given : given.cpu().contiguous();
            RequireFinite(part, part, name, chunk.Ids);
            if (output == ModelOutputs.Logits && key.TopK is { } k)
            {
                var (classes, values, rest) = TopLogits.Of(part, k, _fields[0].Type);
                RequireFinite(rest, rest, "other logits' log-sum-exp", chunk.Ids);
                fields.AddRange([classes, Rounded(values, name, chunk.Ids), rest]);
            }
            else
            {
                fields.Add(Rounded(part, name, chunk.Ids));
            }
        }

        return fields;
    }

    /// <summary>The wanted outputs as 32-bit floats, in the current dispose scope, from their fields as <paramref name="read"/> gives them.</summary>
    public NetworkOutput Decode(Func<int, Tensor> read, ModelOutputs wanted)
    {
        Tensor? logits = null;
        Tensor? embedding = null;
        var stages = wanted.HasFlag(ModelOutputs.StageFeatures) ? new List<Tensor>() : null;
        for (var i = 0; i < _fields.Count; i++)
        {
            var output = _fields[i].Output;
            if ((wanted & output) == ModelOutputs.None)
                continue;
            if (output == ModelOutputs.Logits && key.TopK is not null)
            {
                logits = TopLogits.Expand(read(i), Whole(read(i + 1)), read(i + 2), key.Shapes.LogitCount);
                i += 2;
            }
            else if (output == ModelOutputs.Logits)
            {
                logits = Whole(read(i));
            }
            else if (output == ModelOutputs.Embedding)
            {
                embedding = Whole(read(i));
            }
            else
            {
                stages!.Add(Whole(read(i)));
            }
        }

        return new NetworkOutput(logits, embedding, stages);
    }

    /// <summary>Logits as they would read if they were recorded now: 32-bit floats on the CPU, in the current dispose scope.</summary>
    public Tensor LogitsAsKept(Tensor logits)
    {
        var given = logits.detach().cpu().contiguous();
        if (key.TopK is not { } k)
            return AsKept(given);
        var (classes, values, rest) = TopLogits.Of(given, k, _fields[0].Type);
        return TopLogits.Expand(classes, AsKept(values), rest, key.Shapes.LogitCount);

        Tensor AsKept(Tensor values) => key.Precision == CachePrecision.Single ? values : Whole(values.to(ScalarType.Float16));
    }

    private static Tensor Whole(Tensor kept) => kept.dtype == ScalarType.Float32 ? kept : kept.to(ScalarType.Float32);

    private Tensor Rounded(Tensor part, string name, IReadOnlyList<RowId> ids)
    {
        if (key.Precision == CachePrecision.Single)
            return part;
        var rounded = part.to(ScalarType.Float16);
        RequireFinite(rounded, part, name, ids);
        return rounded;
    }

    private static void RequireFinite(Tensor kept, Tensor given, string name, IReadOnlyList<RowId> ids)
    {
        // Tensor operations for this would cost as much as a small teacher's answers.
        if (kept.dtype == ScalarType.Float32 && AllFinite(MemoryMarshal.Cast<byte, float>(kept.bytes)))
            return;
        using var scope = NewDisposeScope();
        var finite = kept.isfinite();
        if (finite.all().item<bool>())
            return;
        var rows = finite.reshape(ids.Count, -1);
        var row = rows.all(1).logical_not().to(ScalarType.Int64).argmax().item<long>();
        var value = given.reshape(ids.Count, -1)[row][rows[row].logical_not().to(ScalarType.Int64).argmax()].item<float>();
        throw new InvalidOperationException(float.IsFinite(value)
            ? FormattableString.Invariant(
                $"The teacher's {name} of row id {ids[(int)row]} hold {value}, too large for 16-bit floats, which end at ±65504. Keep the record in CachePrecision.Single.")
            : FormattableString.Invariant($"The teacher's {name} of row id {ids[(int)row]} hold {value}; a teacher cache takes finite numbers only."));
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                return false;
        }

        return true;
    }

    private IEnumerable<(ModelOutputs Output, string Name, long[] Dimensions)> Parts()
    {
        if (key.Kept.HasFlag(ModelOutputs.Logits))
            yield return (ModelOutputs.Logits, "logits", [key.Shapes.LogitCount]);
        if (key.Kept.HasFlag(ModelOutputs.Embedding))
            yield return (ModelOutputs.Embedding, "embedding", [key.Shapes.EmbeddingLength!.Value]);
        if (!key.Kept.HasFlag(ModelOutputs.StageFeatures))
            yield break;
        for (var i = 0; i < key.Shapes.StageFeatures.Count; i++)
            yield return (ModelOutputs.StageFeatures, $"stage features {i + 1}", key.Shapes.StageFeatures[i]);
    }
}
