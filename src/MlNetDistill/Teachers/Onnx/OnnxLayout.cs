namespace MlNetDistill.Teachers;

/// <summary>Properties of an ONNX file that ONNX Runtime does not expose.</summary>
/// <param name="ExternalFiles">The files with weights outside the ONNX file, as it names them, each once and sorted.</param>
/// <param name="CustomDomains">Domains of operators that neither ONNX nor ONNX Runtime defines.</param>
internal sealed record OnnxLayout(IReadOnlyList<string> ExternalFiles, IReadOnlyList<string> CustomDomains)
{
    private static readonly string[] KnownDomains = ["", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft"];

    // The limit of protocol-buffer libraries. A deeper file is probably an attack on the stack.
    private const int Deepest = 100;

    // Field numbers of onnx.proto that lead to tensors, by message.
    private static readonly Dictionary<string, Dictionary<int, string>> Nested = new()
    {
        ["Model"] = new() { [7] = "Graph", [25] = "Function" },
        ["Graph"] = new() { [1] = "Node", [5] = "Tensor", [15] = "Sparse" },
        ["Function"] = new() { [7] = "Node" },
        ["Node"] = new() { [5] = "Attribute" },
        ["Attribute"] = new() { [5] = "Tensor", [6] = "Graph", [10] = "Tensor", [11] = "Graph", [22] = "Sparse", [23] = "Sparse" },
        ["Sparse"] = new() { [1] = "Tensor", [2] = "Tensor" },
        ["Tensor"] = [],
    };

    /// <summary>Reads a file from its beginning.</summary>
    /// <exception cref="InvalidDataException">It is not an ONNX file.</exception>
    /// <exception cref="EndOfStreamException">It is truncated.</exception>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public static OnnxLayout Read(Stream stream, CancellationToken cancellation = default)
    {
        var reader = new ProtobufReader(stream, cancellation);
        var (files, domains) = (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        var graphs = 0;
        foreach (var field in reader.Fields(0, stream.Length))
        {
            if (field.Field is < 1 or > 8 and not (14 or 20 or 25 or 26))
                throw new InvalidDataException($"A model has no field {field.Field}.");
            graphs += field.Field == 7 ? 1 : 0;
            if (field is { Field: 8, End: > 0 })
                domains.Add(Domain(reader, field.Start, field.End));
            else if (Nested["Model"].TryGetValue(field.Field, out var message) && field.End > 0)
                Collect(reader, message, field.Start, field.End, files, depth: 1);
        }

        domains.ExceptWith(KnownDomains);
        return graphs == 1 ? new OnnxLayout([.. files], [.. domains]) : throw new InvalidDataException($"It holds {graphs} graphs.");
    }

    private static void Collect(ProtobufReader reader, string message, long start, long end, SortedSet<string> files, int depth)
    {
        if (depth > Deepest)
            throw new InvalidDataException($"It has messages within messages, more than {Deepest} deep.");
        foreach (var field in reader.Fields(start, end))
        {
            if (message == "Tensor" && field is { Field: 13, End: > 0 } && Location(reader, field.Start, field.End) is { } location)
                files.Add(location);
            else if (Nested[message].TryGetValue(field.Field, out var inner) && field.End > 0)
                Collect(reader, inner, field.Start, field.End, files, depth + 1);
        }
    }

    /// <summary>The file in TensorProto.external_data, which is a list of keys and values.</summary>
    private static string? Location(ProtobufReader reader, long start, long end)
    {
        var (key, value) = ((string?)null, (string?)null);
        foreach (var field in reader.Fields(start, end).Where(field => field.End > 0))
        {
            // If a field occurs twice, the last one counts.
            if (field.Field == 1)
                key = reader.Text(field.Start, field.End);
            else if (field.Field == 2)
                value = reader.Text(field.Start, field.End);
        }

        return key == "location" ? value : null;
    }

    /// <summary>OperatorSetIdProto.domain; it is missing for ONNX's own operators.</summary>
    private static string Domain(ProtobufReader reader, long start, long end)
    {
        foreach (var field in reader.Fields(start, end))
        {
            if (field is { Field: 1, End: > 0 })
                return reader.Text(field.Start, field.End);
        }

        return "";
    }
}
