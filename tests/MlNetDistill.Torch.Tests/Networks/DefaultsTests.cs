using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>TorchSharp's process-wide defaults are the application's: networks and training neither go by them nor change them.</summary>
[NonParallelizable]
public sealed class DefaultsTests
{
    [Test]
    public void A_student_is_the_same_under_other_default_types_and_devices()
    {
        // A device without values: whatever is made on it by mistake cannot be computed with.
        var expected = Trained();
        Assert.That(Under(float64, META, Trained), Is.EqualTo(expected));
    }

    [Test]
    public void Modules_of_a_network_of_ones_own_are_32_bit_floats_whatever_the_default()
    {
        using var network = Under(float64, CPU, () => new OwnSpec().Build(new NetworkInput(InputShape.Vector(4)), 3, 1));
        Assert.That(network.state_dict().Values.Where(v => v.is_floating_point()).Select(v => v.dtype), Has.All.EqualTo(ScalarType.Float32));
        using var set = Toy.Clouds();
        Assert.That(() => Under(float64, CPU, () => Runs.Train(network, set, Runs.Stage(1))), Throws.Nothing);
    }

    [Test]
    public void A_network_of_ones_own_on_the_device_meta_is_named() => Assert.That(
        () => Under(float32, META, () => new OwnSpec().Build(new NetworkInput(InputShape.Vector(4)), 3, 1)),
        Throws.InvalidOperationException.With.Message.StartsWith("own: '_body.0._module.weight' is on the device 'meta', where tensors have shapes and no values."));

    [Test]
    public void A_network_that_is_built_in_inference_mode_can_be_trained()
    {
        using var set = Toy.Clouds();
        Network network;
        using (inference_mode())
            network = Runs.Student(NetworkSpec.Mlp(4), set);
        Assert.That(() => Runs.Train(network, set, Runs.Stage(1)), Throws.Nothing);
        network.Dispose();
    }

    private static double[] Trained()
    {
        using var set = Under(float32, CPU, () => Toy.Images(32));
        using var teacherNetwork = Runs.Student(NetworkSpec.ResNet(8, 4, 4, 8, 16), set, seed: 7);
        using var teacher = new NetworkTeacher(teacherNetwork, TeacherCaching.InMemory(16));
        using var student = Runs.Student(NetworkSpec.ResNet(8, 4, 4, 8, 8), set);
        Runs.Train(student, set, Runs.Stage(2, new CrossEntropyLoss() + new KdLoss(4) + new HintLoss((3, 3)) + new CorrelationCongruenceLoss(), teacher));
        return Runs.State(student);
    }

    private static T Under<T>(ScalarType type, Device device, Func<T> work)
    {
        var (typeBefore, deviceBefore) = (get_default_dtype(), get_default_device());
        set_default_dtype(type);
        set_default_device(device);
        try
        {
            var result = work();
            Assert.That((get_default_dtype(), get_default_device().type), Is.EqualTo((type, device.type)));
            return result;
        }
        finally
        {
            set_default_dtype(typeBefore);
            set_default_device(deviceBefore);
        }
    }

    private sealed record OwnSpec : NetworkSpec
    {
        public override string Name => "own";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var linear = nn.Linear(shape.Length, 6);
            return new NetworkPlan([new ModuleBlock(linear, (graph, input) => graph.Add("Gemm", [input, graph.Constant(linear.weight!), graph.Constant(linear.bias!)], ("transB", 1L)))], [], 6);
        }
    }
}
