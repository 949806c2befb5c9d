using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Export;

// Usage: MlNetDistill.Loader MODEL.zip ROWS.idv [COLUMN]
// Loads a model, scores the rows of a binary data view and prints a line for each: PredictedLabel, a tab, the bits of Score in hexadecimal; or the bits of COLUMN alone.
Console.OutputEncoding = new UTF8Encoding(false);
var mlContext = new MLContext();
var model = OnnxFileName.LoadWithRetry(() => mlContext.Model.Load(args[0], out _));
using var disposable = model as IDisposable;
var scored = model.Transform(mlContext.Data.LoadFromBinary(args[1]));
if (args.Length > 2)
{
    foreach (var vector in scored.GetColumn<float[]>(args[2]))
        Console.WriteLine(Bits(vector));
    return;
}

var labels = scored.GetColumn<string>("PredictedLabel");
var scores = scored.GetColumn<float[]>("Score");
foreach (var (label, score) in labels.Zip(scores))
    Console.WriteLine($"{label}\t{Bits(score)}");

static string Bits(float[] values) => string.Join(' ', values.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8")));
