using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A network as teacher, in eval mode.</summary>
internal class NetworkTeacher : CacheableTeacher
{
    private readonly Network _network;

    /// <summary>Does not take ownership of <paramref name="network"/>, which is on the device of the rows.</summary>
    public NetworkTeacher(Network network, TeacherCaching caching)
        : base(caching)
    {
        _network = network;
        Shapes = network.GetOutputShapes();
        network.eval();
    }

    public override OutputShapes Shapes { get; }

    public override bool SupportsAugmentation => true;

    internal override bool AnswersBeforeStage => true;

    internal override LastLayer? GetLastLayer()
    {
        var network = PrepareNetwork();
        return network.Head.IsIdentity ? null : new LastLayer(network.Head.Weight, network.Head.Bias);
    }

    /// <summary>Builds a network of the same kind, on the same device, with any weights; null if it cannot be built again.</summary>
    public Func<Network>? BuildSame { get; init; }

    internal override bool CanBeTrained => BuildSame is not null;

    /// <summary>Reorders the logits to the order of the student's classes; null if they are in that order.</summary>
    protected virtual Func<Tensor, Tensor>? Reorder => null;

    internal override TrainableTeacher CreateTrainableCopy()
    {
        if (BuildSame is null)
            return base.CreateTrainableCopy();
        var copy = BuildSame();
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var tensors = copy.state_dict();
            foreach (var (name, value) in PrepareNetwork().state_dict())
                tensors[name].copy_(value);
            return new TrainableTeacher(copy, Reorder);
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>The network, with the weights of this teacher.</summary>
    protected virtual Network PrepareNetwork() => _network;

    protected override string ComputeContentHash() => ModuleState.Fingerprint(PrepareNetwork());

    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        return PrepareNetwork().Forward(batch.Features, wanted);
    }
}
