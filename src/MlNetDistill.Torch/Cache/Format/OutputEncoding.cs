using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>
/// Converts a teacher's outputs to the fields of a teacher cache and back. All outputs pass through it, computed ones and those of a file, so that the first run
/// and later ones read the same bits.
/// </summary>
internal sealed class OutputEncoding(CacheFileKey key)
{
    private readonly IReadOnlyList<CacheField> _fields = CacheField.CreateAll(key);

    // Without top-k each output is one field.
    private readonly IReadOnlyList<CacheField> _outputs = CacheField.CreateAll(key with { TopK = null });

    /// <summary>The fields of a chunk, in their order and types, contiguous on the CPU, in the current dispose scope.</summary>
    /// <exception cref="InvalidOperationException">The outputs are not those of the key, or a value is not finite or too large.</exception>
    public IReadOnlyList<Tensor> Encode(OutputChunk chunk)
    {
        if (chunk.Parts.Count != _outputs.Count)
            throw new InvalidOperationException($"The teacher returned {chunk.Parts.Count} outputs; expected {_outputs.Count}.");
        var fields = new List<Tensor>(_fields.Count);
        foreach (var (output, given) in _outputs.Zip(chunk.Parts))
        {
            if (!given.shape.SequenceEqual([chunk.Ids.Count, .. output.Dimensions]) || given.dtype != ScalarType.Float32)
            {
                throw new InvalidOperationException(
                    $"The teacher's {output.Name} must be [{string.Join(", ", output.Dimensions.Prepend(chunk.Ids.Count))}] Float32; got [{string.Join(", ", given.shape)}] {given.dtype}.");
            }

            var part = given.device_type == DeviceType.CPU && given.is_contiguous() ? given : given.cpu().contiguous();
            CheckFinite(part, part, output.Name, chunk.Ids);
            if (output.Output == ModelOutputs.Logits && key.TopK is { } k)
            {
                var (classes, values, rest) = TopLogits.Select(part, k, _fields[0].Type);
                fields.AddRange([classes, Round(values, output.Name, chunk.Ids), rest]);
            }
            else
            {
                fields.Add(Round(part, output.Name, chunk.Ids));
            }
        }

        return fields;
    }

    /// <summary>The wanted outputs as 32-bit floats, in the current dispose scope.</summary>
    /// <param name="read">Reads a field.</param>
    /// <param name="wanted">The outputs to decode.</param>
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
                logits = TopLogits.Expand(read(i), ToSingle(read(i + 1)), read(i + 2), key.Shapes.LogitCount);
                i += 2;
            }
            else if (output == ModelOutputs.Logits)
            {
                logits = ToSingle(read(i));
            }
            else if (output == ModelOutputs.Embedding)
            {
                embedding = ToSingle(read(i));
            }
            else
            {
                stages!.Add(ToSingle(read(i)));
            }
        }

        return new NetworkOutput(logits, embedding, stages);
    }

    /// <summary>Logits with the precision of the cache, as if they had been encoded and decoded: 32-bit floats on the CPU, in the current dispose scope.</summary>
    public Tensor RoundLogits(Tensor logits)
    {
        var given = logits.detach().cpu().contiguous();
        if (key.TopK is not { } k)
            return Rounded(given);
        var (classes, values, rest) = TopLogits.Select(given, k, _fields[0].Type);
        return TopLogits.Expand(classes, Rounded(values), rest, key.Shapes.LogitCount);

        Tensor Rounded(Tensor values) => key.Precision == CachePrecision.Single ? values : ToSingle(values.to(ScalarType.Float16));
    }

    private static Tensor ToSingle(Tensor values) => values.dtype == ScalarType.Float32 ? values : values.to(ScalarType.Float32);

    private Tensor Round(Tensor values, string name, IReadOnlyList<RowId> ids)
    {
        if (key.Precision == CachePrecision.Single)
            return values;
        var rounded = values.to(ScalarType.Float16);
        CheckFinite(rounded, values, name, ids);
        return rounded;
    }

    private static void CheckFinite(Tensor encoded, Tensor given, string name, IReadOnlyList<RowId> ids)
    {
        // Tensor operations would take as long as a small teacher.
        if (encoded.dtype == ScalarType.Float32 && !MemoryMarshal.Cast<byte, float>(encoded.bytes).ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            return;
        using var scope = NewDisposeScope();
        var finite = encoded.isfinite().flatten();
        if (finite.all().item<bool>())
            return;
        var place = finite.logical_not().to(ScalarType.Int64).argmax().item<long>();
        var value = given.flatten()[place].item<float>();
        var subject = FormattableString.Invariant($"The value {value} in the teacher's {name} for row id {ids[(int)(place / (finite.numel() / ids.Count))]}");
        throw new InvalidOperationException(float.IsFinite(value)
            ? $"{subject} is too large for 16-bit floats, which end at ±65504. Use CachePrecision.Single."
            : $"{subject} is not a finite number; a teacher cache can hold only finite numbers.");
    }
}
