using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Core;
using MlNetDistill.Networks;

// Usage: MlNetDistill.TorchProbe build|block|fit|preflight|score
// Makes a first call into the library. Prints "fine", or of the exception: its type, MissingVersion, Remedy, Message and, after a line "loader", LoaderMessage.
//        MlNetDistill.TorchProbe interrupt
// Prints "busy", then "cancelled" when the token of the examples is, and goes on until it is ended.
//        MlNetDistill.TorchProbe save FILE | cost FOLDER
// Saves a model, or measures its cost with that folder for temporary files; prints "busy" in the middle of it, and stays there until it is killed.
try
{
    if (args is [var verb, var path])
        BusyRow.Call(verb, path);
    else
        Call(args[0]);
    Console.WriteLine("fine");
}
catch (TorchUnavailableException e)
{
    Console.WriteLine(string.Join('\n', e.GetType().Name, e.MissingVersion, e.Remedy, e.Message, "loader", e.LoaderMessage));
}

static void Call(string verb)
{
    var mlContext = new MLContext(seed: 1);
    var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Row { Label = i % 2 == 0 ? "a" : "b", Features = [i, 1], Score = [0, 1] }));
    var keyed = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(rows).Transform(rows);
    var trainer = mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
    {
        Teacher = Teacher.FromColumn("TeacherScore"),
        Student = NetworkSpec.Mlp(4),
    });
    switch (verb)
    {
        case "interrupt": WaitForSignals(); break;
        case "build": NetworkSpec.Mlp(4).Build(new NetworkInput(InputShape.Vector(2), false, null), 2, 1).Dispose(); break;
        case "block": new Relu().Dispose(); break;
        case "fit": trainer.Fit(keyed); break;
        case "preflight": trainer.Preflight(keyed); break;
        case "score": trainer.ScoreTeacher(keyed); break;
        default: throw new ArgumentException($"'{verb}' is none of build, block, fit, preflight, score, interrupt.");
    }
}

static void WaitForSignals()
{
    using var registration = Examples.Interruption.Token.Register(() => Console.WriteLine("cancelled"));
    Console.WriteLine("busy");
    Thread.Sleep(Timeout.Infinite);
}

internal sealed class Row
{
    public string Label { get; set; } = "";

    [VectorType(2)]
    public float[] Features { get; set; } = [];

    [VectorType(2), ColumnName("TeacherScore")]
    public float[] Score { get; set; } = [];
}
