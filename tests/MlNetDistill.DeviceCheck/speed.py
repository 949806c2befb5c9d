"""The loop of the speed checks in plain PyTorch: speed.py DEVICE ROWS; lines "KIND BATCH SECONDS" come in, rows per second go out."""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

device, rows = torch.device(sys.argv[1]), int(sys.argv[2])
features = torch.randint(0, 256, (rows, 3, 32, 32), dtype=torch.uint8, device=device)
labels = (torch.arange(rows) % 100).to(device)
WIDTHS = 32, 64, 128, 256


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        inner = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


def resnet(depth):
    layers = [nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()]
    for stage in 1, 2, 3:
        for block in range((depth - 2) // 6):
            layers.append(Residual(WIDTHS[stage - (block == 0)], WIDTHS[stage], 2 if stage > 1 and block == 0 else 1))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[3], 100)).to(device)


def scaled(batch):
    return batch.float() * (1 / 63.75) - 2


def synchronize():
    if device.type == "cuda":
        torch.cuda.synchronize()


def measure(kind, batch_size, seconds):
    student, teacher = resnet(8).train(), resnet(32).eval()
    optimizer = torch.optim.SGD(student.parameters(), 0.01, 0.9, nesterov=True, weight_decay=1e-4)
    answers = None
    if kind == "kd":
        with torch.no_grad():
            answers = torch.cat([teacher(scaled(part)) for part in features.split(batch_size)])
    temperature = 4

    def epoch():
        losses = torch.zeros((), device=device)
        order = torch.randperm(rows, device=device)
        for at in range(0, rows - batch_size + 1, batch_size):
            chosen = order[at:at + batch_size]
            x, y = features[chosen], labels[chosen]
            if kind == "live":
                x = torch.where(torch.rand(batch_size, 1, 1, 1, device=device) < 0.5, x.flip(3), x)
            x = scaled(x)
            logits = student(x)
            loss = F.cross_entropy(logits, y)
            if kind != "plain":
                with torch.no_grad():
                    taught = answers[chosen] if kind == "kd" else teacher(x)
                divergence = F.kl_div(F.log_softmax(logits / temperature, 1), F.softmax(taught / temperature, 1), reduction="batchmean") * temperature ** 2
                loss = 0.1 * loss + 0.9 * divergence
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.detach()
        return losses.item()

    epoch()
    synchronize()
    start, epochs = time.perf_counter(), 0
    while epochs == 0 or time.perf_counter() - start < seconds:
        epoch()
        epochs += 1
    synchronize()
    return epochs * (rows // batch_size * batch_size) / (time.perf_counter() - start)


for line in sys.stdin:
    kind, batch, seconds = line.split()
    print(measure(kind, int(batch), float(seconds)), flush=True)
