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

    internal override LastLayer? GetLastLayer()
    {
        var network = PrepareNetwork();
        return network.Head.IsIdentity ? null : new LastLayer(network.Head.Weight, network.Head.Bias, network.PoolsLastTap);
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
