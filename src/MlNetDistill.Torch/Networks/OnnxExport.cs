namespace MlNetDistill.Networks;

/// <summary>
/// Networks as ONNX models. The network must be in eval mode with its weights on any device; constants are written as 32-bit floats where no other <see cref="OnnxForm"/> is given.
/// </summary>
internal static class OnnxExport
{
    /// <summary>Everything up to the embedding: <paramref name="inputName"/> B×L (bytes or floats) to <paramref name="outputName"/> B×D.</summary>
    public static byte[] WriteBackbone(Network network, string inputName, string outputName)
    {
        var graph = new OnnxGraph();
        var embedding = network.EmitBackbone(graph, inputName);
        // Blocks that return their input emit no node, and an input cannot also be the output.
        if (embedding == inputName)
            embedding = graph.Add("Identity", [embedding]);
        graph.Rename(embedding, outputName);
        return OnnxFile.Write(graph, "student", InputInfo(network, inputName), new OnnxTensorInfo(outputName, OnnxType.Float, [-1, network.EmbeddingLength]));
    }

    /// <summary>The whole network in a form: <paramref name="inputName"/> B×L (bytes or floats) to the logits <paramref name="outputName"/> B×K.</summary>
    public static byte[] WriteLogits(Network network, string inputName, string outputName, OnnxForm form)
    {
        var graph = new OnnxGraph();
        graph.Rename(EmitLogits(network, graph, inputName, form), outputName);
        return OnnxFile.Write(graph, "student", InputInfo(network, inputName), new OnnxTensorInfo(outputName, OnnxType.Float, [-1, network.LogitCount]));
    }

    /// <summary>A model that gives the tensors whose ranges <see cref="Int8Form"/> needs, and the name of each there by the name of its output.</summary>
    /// <exception cref="NotSupportedException">An operator of the network has no such form.</exception>
    public static (byte[] Model, IReadOnlyDictionary<string, string> Tensors) WriteObserved(Network network, string inputName)
    {
        var graph = new OnnxGraph();
        var output = EmitLogits(network, graph, inputName);
        var observed = Int8Form.Observe(graph, output);
        // An input cannot be an output.
        var tensors = observed.ToDictionary(name => name == inputName ? graph.Add("Identity", [name]) : name, name => name == inputName ? "" : name);
        return (OnnxFile.Write(graph, "student", InputInfo(network, inputName), [.. tensors.Keys.Select(name => new OnnxTensorInfo(name, OnnxType.Float))]), tensors);
    }

    /// <summary>
    /// The whole classifier: features B×L to probabilities <c>Score</c> B×K and the class index <c>Class</c> B, from 0. An input of one of
    /// these two names becomes <c>Features</c>, since names in a graph are unique.
    /// </summary>
    public static byte[] WriteClassifier(Network network, string inputName, OnnxForm? form = null)
    {
        const string Score = "Score", Class = "Class";
        if (inputName is Score or Class)
            inputName = "Features";
        var graph = new OnnxGraph();
        var logits = EmitLogits(network, graph, inputName, form);
        graph.Rename(graph.Add("Softmax", [logits], ("axis", 1L)), Score);
        graph.Rename(graph.Add("ArgMax", [Score], ("axis", 1L), ("keepdims", 0L)), Class);
        return OnnxFile.Write(
            graph,
            "student",
            InputInfo(network, inputName),
            new OnnxTensorInfo(Score, OnnxType.Float, [-1, network.LogitCount]),
            new OnnxTensorInfo(Class, OnnxType.Int64, [-1]));
    }

    /// <summary>
    /// The whole network of an embedding: features B×L to embeddings of unit length, B×D. An input of the same name as the output becomes <c>Features</c>, since names
    /// in a graph are unique.
    /// </summary>
    public static byte[] WriteEmbedding(Network network, string inputName, string outputName, OnnxForm? form = null)
    {
        if (inputName == outputName)
            inputName = "Features";
        var graph = new OnnxGraph();
        var embedding = network.EmitBackbone(graph, inputName);
        form?.Apply(graph, inputName, embedding);
        graph.Rename(graph.Add("LpNormalization", [embedding], ("axis", 1L), ("p", 2L)), outputName);
        return OnnxFile.Write(graph, "student", InputInfo(network, inputName), new OnnxTensorInfo(outputName, OnnxType.Float, [-1, network.EmbeddingLength]));
    }

    private static string EmitLogits(Network network, OnnxGraph graph, string inputName, OnnxForm? form = null)
    {
        var logits = network.Head.Emit(graph, network.EmitBackbone(graph, inputName));
        if (logits == inputName)
            logits = graph.Add("Identity", [logits]);
        form?.Apply(graph, inputName, logits);
        return logits;
    }

    private static OnnxTensorInfo InputInfo(Network network, string name) =>
        new(name, network.Input.IsByte ? OnnxType.UInt8 : OnnxType.Float, [-1, network.Input.Shape.Length]);
}
