using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A network as teacher, in eval mode. For stages that read its logits and embedding of unchanged rows it answers every row once, before the
/// first step, and looks the answers up; stage features, which would take the memory of all activations, and augmented rows are answered live.
/// </summary>
internal class NetworkTeacher : StageTeacher, IDisposable
{
    private const OutputKinds Kept = OutputKinds.Logits | OutputKinds.Embedding;
    private readonly Network _network;
    private readonly int _batchSize;
    private AnswerTable? _answers;

    /// <summary>Takes no ownership of <paramref name="network"/>.</summary>
    /// <param name="network">The network, on the device of the rows.</param>
    /// <param name="batchSize">Rows scored at a time when all are answered.</param>
    public NetworkTeacher(Network network, int batchSize)
    {
        _network = network;
        _batchSize = batchSize;
        Shapes = network.Shapes();
        network.eval();
    }

    public override OutputShapes Shapes { get; }

    public override bool SeesViews => true;

    public override void Begin(TrainingSet set, OutputKinds wanted, bool views)
    {
        if (views || wanted == OutputKinds.None || (wanted & ~Kept) != OutputKinds.None || _answers?.Holds(set, wanted) == true)
            return;
        _answers?.Dispose();
        _answers = Answer(set, wanted);
    }

    public override NetworkOutput Outputs(Batch batch, OutputKinds wanted) =>
        _answers is { } answers && answers.Covers(batch) && answers.Holds(batch.Set, wanted) ? answers.Outputs(batch, wanted) : Live(batch.Features, wanted);

    public override Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature) => _answers is { } answers && answers.Covers(batch)
        ? answers.LogProbabilities(batch, outputs, temperature)
        : base.LogProbabilities(batch, outputs, temperature);

    public override void End()
    {
        _answers?.Dispose();
        _answers = null;
    }

    public void Dispose() => End();

    /// <summary>The network, with the weights of this teacher.</summary>
    protected virtual Network Ready() => _network;

    private NetworkOutput Live(Tensor features, OutputKinds wanted)
    {
        using var noGrad = no_grad();
        return Ready().Forward(features, wanted);
    }

    private AnswerTable Answer(TrainingSet set, OutputKinds wanted)
    {
        using var scope = NewDisposeScope();
        var all = Arithmetic.UpTo(set.Count, set.Features.device);
        var (logits, embeddings) = (new List<Tensor>(), new List<Tensor>());
        foreach (var rows in Chunks.Of(all, _batchSize))
        {
            using var inner = NewDisposeScope();
            var output = Live(set.Features.index_select(0, rows), wanted | OutputKinds.Logits);
            logits.Add(output.Logits.MoveToOuterDisposeScope());
            if (wanted.HasFlag(OutputKinds.Embedding))
                embeddings.Add(output.Embedding.MoveToOuterDisposeScope());
        }

        return new AnswerTable(set, cat(logits).DetachFromDisposeScope(), embeddings.Count == 0 ? null : cat(embeddings).DetachFromDisposeScope());
    }
}
