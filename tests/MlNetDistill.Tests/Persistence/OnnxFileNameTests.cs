using Microsoft.ML.OnnxRuntime;
using MlNetDistill.Export;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

/// <summary>The random names that ML.NET gives files of ONNX models, one of 32,768 of which ONNX Runtime takes for a format of its own.</summary>
public sealed class OnnxFileNameTests
{
    private readonly ToyFolder _folder = new();

    [OneTimeTearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void A_model_under_such_a_name_is_loaded_under_another()
    {
        var names = new Queue<string>(["abcdefgh.ort", "ijklmnop.ort", "qrstuvwx.yz1"]);
        using var session = OnnxFileName.LoadWithRetry(() => Load(names.Dequeue()));
        Assert.That(session.InputNames, Is.Not.Empty);
        Assert.That(names, Is.Empty);
    }

    [Test]
    public void Not_for_ever_and_not_for_another_fault()
    {
        var tries = 0;
        Assert.That(() => OnnxFileName.LoadWithRetry(() => Load($"{tries++}.ort")), Throws.InstanceOf<OnnxRuntimeException>());
        Assert.That(tries, Is.EqualTo(3));
        tries = 0;
        Assert.That(() => OnnxFileName.LoadWithRetry<int>(() => throw new InvalidOperationException($"another, {tries++}")), Throws.InvalidOperationException);
        Assert.That(tries, Is.EqualTo(1));
    }

    private InferenceSession Load(string name)
    {
        var path = _folder.File(name);
        File.Copy(RealRows.PathOf("iris-mlp.onnx"), path);
        return new InferenceSession(path);
    }
}
