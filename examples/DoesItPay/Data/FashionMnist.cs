using MlNetDistill.Core;
using Quickstart.Data;

namespace DoesItPay.Data;

/// <summary>Fashion-MNIST: the first 10,000 training images and all test images.</summary>
internal static class FashionMnist
{
    private const int TrainingRows = 10_000;

    public static DataSet Load(string folder)
    {
        var files = Files.Folder(folder, "fashion-mnist");
        var (train, height, width) = IdxImages.Read(files, "train", TrainingRows);
        var (test, _, _) = IdxImages.Read(files, "t10k", int.MaxValue);
        return new DataSet("fashion", "Fashion-MNIST, 10,000 rows", Files.Images(train), Files.Images(test)) { Image = InputShape.Image(1, height, width) };
    }
}
