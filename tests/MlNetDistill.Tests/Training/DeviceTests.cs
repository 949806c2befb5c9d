using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>What happens where the GPU asked for is missing. GPU 63 is missing everywhere that these tests run.</summary>
public sealed class DeviceTests
{
    private const string Missing = "Training was to run on GPU 63, but TorchSharp finds no CUDA device";

    private const string Error = Missing + ". Reference a TorchSharp CUDA package on a machine with a GPU and driver, " +
        "or allow the CPU: FallbackToCpu of the MLContext or of TrainingDevice.Cuda, or TrainingDevice.Cpu.";

    private static readonly DistillationOptions Short = Rows.Quick() with { Epochs = 1 };

    [OneTimeSetUp]
    public void NoGpuHere() => Assume.That(TorchSharp.torch.cuda.is_available(), Is.False);

    [Test]
    public void The_options_missing_GPU_is_an_error_without_fallback() => Assert.That(
        () => Fit(Rows.Context(), Short with { Device = TrainingDevice.Cuda(63) }), Throws.InvalidOperationException.With.Message.EqualTo(Error));

    [Test]
    public void The_options_missing_GPU_is_a_logged_warning_with_fallback()
    {
        var context = Rows.Context();
        Assert.That(Warnings(context, Short with { Device = TrainingDevice.Cuda(63, fallbackToCpu: true) }), Is.EqualTo(new[] { Missing + "; it runs on the CPU." }));
    }

    [Test]
    public void The_contexts_missing_GPU_is_an_error_without_fallback() => Assert.That(
        () => Fit(new MLContext(1) { GpuDeviceId = 63, FallbackToCpu = false }, Short), Throws.InvalidOperationException.With.Message.EqualTo(Error));

    [Test]
    public void The_contexts_missing_GPU_is_a_logged_warning_with_fallback()
    {
        var context = new MLContext(1) { GpuDeviceId = 63, FallbackToCpu = true };
        Assert.That(Warnings(context, Short), Is.EqualTo(new[] { Missing + "; it runs on the CPU." }));
    }

    [Test]
    public void The_options_device_goes_before_the_contexts()
    {
        var context = new MLContext(1) { GpuDeviceId = 63, FallbackToCpu = true };
        Assert.That(Warnings(context, Short with { Device = TrainingDevice.Cpu }), Is.Empty);
    }

    [Test]
    public void A_GPU_below_zero_is_refused() => Assert.That(() => TrainingDevice.Cuda(-1), Throws.TypeOf<ArgumentOutOfRangeException>());

    private static void Fit(MLContext context, DistillationOptions options) => context.Fit(options, context.Keyed(Rows.Points(60)));

    private static IReadOnlyList<string> Warnings(MLContext context, DistillationOptions options)
    {
        var log = new RowsLog(context);
        Fit(context, options);
        return [.. log.Warnings.Where(line => line.Contains("GPU", StringComparison.Ordinal))];
    }
}
