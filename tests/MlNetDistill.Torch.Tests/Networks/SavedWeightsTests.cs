using System.Text;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>Weights that TorchSharp saved are loaded, and others are refused before anything is allocated or changed.</summary>
public sealed class SavedWeightsTests
{
    private static readonly NetworkSpec[] Specs = [NetworkSpec.Mlp(5), NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 4, 4, 8)];

    [TestCaseSource(nameof(Specs))]
    public void Every_weight_and_statistic_comes_back(NetworkSpec spec)
    {
        using var trained = Build(spec, 1);
        using var other = Build(spec, 2);
        SavedWeights.Load(other, Save(trained));
        Assert.That(Runs.State(other), Is.EqualTo(Runs.State(trained)));
    }

    [Test]
    public void Weights_of_another_network_are_refused_with_the_first_difference_and_change_nothing()
    {
        using var network = Build(NetworkSpec.Mlp(5), 1);
        using var wider = Build(NetworkSpec.Mlp(6), 2);
        using var deeper = Build(NetworkSpec.Mlp(5, 5), 3);
        var before = Runs.State(network);
        Assert.That(() => SavedWeights.Load(network, Save(wider)), Throws.TypeOf<InvalidDataException>().With.Message.Matches(@"^the tensor '.*' is not Float32 \[5(, 64)?\], as that of the network is$"));
        Assert.That(() => SavedWeights.Load(network, Save(deeper)), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("there are 6 tensors, and the network has 4"));
        Assert.That(Runs.State(network), Is.EqualTo(before));
    }

    [Test]
    public void Weights_that_are_cut_at_any_byte_or_go_on_are_refused()
    {
        using var network = Build(NetworkSpec.Mlp(5), 1);
        var saved = Save(network);
        for (var length = 0; length < saved.Length; length++)
            Assert.That(() => SavedWeights.Load(network, saved[..length]), Throws.TypeOf<InvalidDataException>(), $"{length} bytes");
        Assert.That(() => SavedWeights.Load(network, [.. saved, 0]), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("there are 1 bytes after the last tensor"));
    }

    [TestCase("a name of 2⁶² bytes", new byte[] { 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40 }, "they end within the name of a tensor")]
    [TestCase("a number of 70 bits", new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1 }, "a number has more than 63 bits")]
    public void Lengths_are_not_trusted(string what, byte[] weights, string fault)
    {
        using var network = Build(NetworkSpec.Mlp(5), 1);
        Assert.That(() => SavedWeights.Load(network, weights), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(fault), what);
    }

    [Test]
    public void A_tensor_with_more_dimensions_than_fit_into_memory_is_refused()
    {
        using var network = Build(NetworkSpec.Mlp(5), 1);
        var saved = Save(network);
        var name = network.state_dict().Keys.First();
        var end = saved.AsSpan().IndexOf(Encoding.UTF8.GetBytes(name)) + name.Length;
        // After the name: the type, then the number of dimensions.
        byte[] forged = [.. saved[..(end + 1)], 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, .. saved[(end + 2)..]];
        Assert.That(() => SavedWeights.Load(network, forged), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"the tensor '{name}' is not Float32 ["));
    }

    private static Network Build(NetworkSpec spec, int seed) => spec.Build(new NetworkInput(InputShape.Image(1, 8, 8)), 3, seed);

    private static byte[] Save(Network network)
    {
        using var stream = new MemoryStream();
        network.save(stream);
        return stream.ToArray();
    }
}
