using MlNetDistill.Data;
using MlNetDistill.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A copy of a teacher's network whose weights are trained. It always runs in eval mode: the running statistics of batch normalizations stay as they are, and there is
/// no dropout. Nothing is cached, because the weights change.
/// </summary>
internal sealed class TrainableTeacher : StageTeacher, IDisposable
{
    private readonly Func<Tensor, Tensor>? _reorder;

    /// <param name="network">The copy, which this disposes.</param>
    /// <param name="reorder">Reorders its logits to the order of the student's classes; null if they are in that order.</param>
    public TrainableTeacher(Network network, Func<Tensor, Tensor>? reorder)
    {
        (Network, _reorder) = (network, reorder);
        Shapes = network.GetOutputShapes();
        network.TrainOnly(NetworkPart.Whole);
        network.eval();
        Parameters = [.. network.named_parameters().Where(p => p.parameter.requires_grad).DistinctBy(p => p.parameter, ReferenceEqualityComparer.Instance)];
    }

    /// <summary>The copy.</summary>
    public Network Network { get; }

    /// <summary>The parameters that train, each with its name.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters { get; }

    public override OutputShapes Shapes { get; }

    public override bool SupportsAugmentation => true;

    /// <summary>Its logits for a batch, B×K, with gradient to its weights.</summary>
    public Tensor ComputeLogits(Batch batch)
    {
        var logits = Network.forward(batch.Features).Logits;
        return _reorder is null ? logits : _reorder(logits);
    }

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        var output = Network.Forward(batch.Features, wanted);
        return _reorder is { } reorder && wanted.HasFlag(ModelOutputs.Logits) ? output.Map(reorder, embedding => embedding, (stage, _) => stage) : output;
    }

    public void Dispose() => Network.Dispose();
}
